"""The service: what every feature stands on, the features, and their wiring."""
