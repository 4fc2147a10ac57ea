"""The journal for other accounting programs and for spreadsheets: entries in, text out, page by page."""
