"""Commit messages: their form and what can be read from them."""
