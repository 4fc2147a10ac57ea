"""How fast the product is, beside the bare driver where it does the same: of rates only the ratio holds elsewhere."""
