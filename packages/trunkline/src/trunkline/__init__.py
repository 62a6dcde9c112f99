"""Release, image and deployment tool: takes a commit to production."""

__version__ = "0.0.0"
