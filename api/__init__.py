"""The edge: HTTP, processor, clock and command line."""
