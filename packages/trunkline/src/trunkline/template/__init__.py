"""Generate services from the template, and update them."""
