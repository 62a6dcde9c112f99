"""The service with a feature that crashes, for a server to load."""

from my_app.config import Settings, load
from my_app.core.app import create_app
from my_app.core.platform.observability.logs import (
    configure_logging,
)

from tests.core.platform.features import misbehaving

settings, flags = load(Settings)
configure_logging(settings)
app = create_app(settings, flags, [misbehaving])
