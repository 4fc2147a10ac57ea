"""The books: chart of accounts, funds, the journal and what is computed from it."""
