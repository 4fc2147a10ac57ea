"""Giving: purposes, donations and what the card processor reports."""
