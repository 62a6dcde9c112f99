"""How the database came to have its tables: one file in `versions` for each step."""
