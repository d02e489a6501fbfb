"""Runs the service: `python -m service`."""

import sys

import uvicorn

from service.app import create_app
from service.observability.logging import configure_logging
from service.settings import SettingsError, load_settings


def main() -> int:
    """Serve until a signal comes, then let the requests in progress end; 2 if the settings are wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"The settings are wrong:\n{error}\n")
        return 2
    configure_logging(settings.log_level)
    # One worker: several would each answer a scrape with their own share of the counters.
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
