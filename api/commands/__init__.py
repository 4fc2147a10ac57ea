"""The command line `solidarity`: operators' commands are clients of the API, administration works on the database."""
