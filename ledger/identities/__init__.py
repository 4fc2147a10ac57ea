"""Sealed boxes and the keys that shred them: the server stores what it can never open."""
