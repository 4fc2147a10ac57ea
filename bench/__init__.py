"""How fast the product is, each time beside the bare driver doing the same: only the ratio holds on another machine."""
