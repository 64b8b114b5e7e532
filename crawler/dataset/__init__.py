"""A finished crawl read back."""
