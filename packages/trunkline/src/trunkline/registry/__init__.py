"""A client of one repository in an image registry, over the OCI distribution API."""
