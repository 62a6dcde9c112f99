"""Container images: one for each commit, every tag a pointer to it."""
