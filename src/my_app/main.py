"""The application that a server loads: settings, logging, app. Nothing imports it."""

import sys

from my_app.config import load
from my_app.core.app import create_app
from my_app.core.platform.logs import configure_logging
from my_app.environment import EnvironmentVariablesError

try:
    settings, flags = load()
    configure_logging(settings)
    app = create_app(settings, flags)
except EnvironmentVariablesError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
