"""Release notes, for people and for language models."""
