"""Releases: `cz bump` that cannot go wrong halfway, its push, and hotfixes."""
