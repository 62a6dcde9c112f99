"""What operators see: health, readiness, version, the landing page, shutdown."""
