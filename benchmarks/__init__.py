"""Comparisons of the service and its development loop with bare peers."""
