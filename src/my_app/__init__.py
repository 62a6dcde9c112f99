"""My App: a FastAPI service."""
