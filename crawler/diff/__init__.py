"""In what do two crawls differ? In their pages, their items and their links."""
