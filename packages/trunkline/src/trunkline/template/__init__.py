"""What makes a service of the template, and brings it the template's later versions."""
