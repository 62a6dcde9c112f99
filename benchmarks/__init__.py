"""The service, its development loop and the release tool, beside bare peers."""
