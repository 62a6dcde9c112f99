"""Fixtures of the template's proofs."""

from project_image import engine, image, project

__all__ = ["engine", "image", "project"]
