"""Files of lists as people send them: bytes to rows of text, in tables and workbooks, by profiles kept as data."""
