"""How the manifest is made of the live files, and checked."""
