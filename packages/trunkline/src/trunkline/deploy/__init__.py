"""Put a commit on an environment, and take it back."""
