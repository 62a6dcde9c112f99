"""The database: its engine, its transactions, its outages, its tables."""
