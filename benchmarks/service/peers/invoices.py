"""The service as it ships."""

from my_app.main import app

__all__ = ["app"]
