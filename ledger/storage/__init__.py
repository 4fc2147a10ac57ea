"""Engines, transactions, column types, guards and migrations, on SQLite and PostgreSQL alike."""
