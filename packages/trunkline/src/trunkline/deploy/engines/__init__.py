"""Engines that run instances: local processes, Compose, Kubernetes."""
