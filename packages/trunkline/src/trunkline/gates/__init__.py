"""The quality gates that a change passes before it is merged."""
