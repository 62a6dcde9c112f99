"""Database migrations: one file in `versions` per step."""
