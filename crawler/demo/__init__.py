"""A small shop to crawl without a network: what ``crawler demo`` serves to itself. Knows nothing of the crawler."""
