"""The treasury: what the fund decides about its own money, between currencies and between funds."""
