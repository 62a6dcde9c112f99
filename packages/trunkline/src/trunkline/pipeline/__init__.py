"""The pipeline: its linters, its workflows run on this machine, GitHub's releases."""
