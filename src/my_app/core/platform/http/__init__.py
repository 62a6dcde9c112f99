"""HTTP itself: limits, trusted hosts, security headers, problem documents."""
