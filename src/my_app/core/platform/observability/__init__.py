"""What the service tells about itself: access log, logs, metrics, traces, errors."""
