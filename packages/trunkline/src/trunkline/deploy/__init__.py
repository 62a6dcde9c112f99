"""Deploy a commit to an environment, and roll it back."""
