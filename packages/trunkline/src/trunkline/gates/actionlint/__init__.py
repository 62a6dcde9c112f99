"""Run actionlint, which is on no package index in a form that is hashed."""
