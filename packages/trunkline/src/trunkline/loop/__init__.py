"""The loop of a developer: run the quick tests at each save."""
