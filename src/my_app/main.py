"""The application that servers load: settings, logging, app. Nothing imports it."""

import sys

from .config import load
from .core.app import ServiceSettings, create_app
from .core.platform.observability.logs import configure_logging
from .environment import EnvironmentVariablesError

try:
    settings, flags = load(ServiceSettings)
    configure_logging(settings)
    app = create_app(settings, flags)
except EnvironmentVariablesError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
