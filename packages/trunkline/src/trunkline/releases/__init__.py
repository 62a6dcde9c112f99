"""Releases: `cz bump` that cannot go wrong half-way, its push, and hotfixes."""
