"""Banks' files, read on the treasurer's device: bytes in, lines out. No disk, no network, no database."""
