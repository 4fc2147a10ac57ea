"""Statements for auditors: figures in, pages and data out. Nothing here asks a database."""
