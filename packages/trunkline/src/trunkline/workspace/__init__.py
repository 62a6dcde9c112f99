"""The packages that live beside the service in one uv workspace."""
