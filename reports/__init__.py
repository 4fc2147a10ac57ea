"""Figures first, then pixels: public pages, open data and auditors' documents."""
