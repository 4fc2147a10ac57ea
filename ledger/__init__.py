"""The fund's books and cases: no web, no processor, no scheduler, no PDF, no private key."""
