"""The service."""

# What people read: the title of the API, of its documents and of its page.
TITLE = "My App"  # fmt: skip
