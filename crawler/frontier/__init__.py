"""What is known, what is left, and how each URL ended."""
