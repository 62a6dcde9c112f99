"""What runs instances: processes on this machine, or containers of an engine."""
