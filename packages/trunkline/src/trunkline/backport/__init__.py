"""Bring a released hotfix back to the trunk."""
