"""Container images: one per commit, and tags that point to it."""
