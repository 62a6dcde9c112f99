"""Features of a service: make one, take it out, and what their modules may import."""
