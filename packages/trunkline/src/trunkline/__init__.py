"""The road from a commit to production."""

__version__ = "0.0.0"
