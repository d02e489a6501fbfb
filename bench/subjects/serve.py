"""Serves another program just as the service is served: `python -m bench.subjects.serve bench.subjects.bare`.

The same server class with the same settings, from the same environment variables.
"""

import importlib
import sys

from service.server import DrainingServer
from service.settings import load_settings

if __name__ == "__main__":
    app = importlib.import_module(sys.argv[1]).app
    app.state.draining = False
    DrainingServer(app, load_settings()).run()
