"""Runs the service: `python -m service`."""

import sys

from service.app import create_app
from service.observability.logging import configure_logging
from service.server import DrainingServer
from service.settings import SettingsError, load_settings


def main() -> int:
    """Serve until a signal comes, then let the requests in progress end; 2 if the settings are wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"The settings are wrong:\n{error}\n")
        return 2
    configure_logging(settings.log_level)
    DrainingServer(create_app(settings), settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
