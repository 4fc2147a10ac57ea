"""Reconciliation: the money as the bank sees it, matched with the money as the books see it."""
