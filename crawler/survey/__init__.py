"""What do hosts say to being crawled, and how would it go? Before a crawl, at the price of a few requests a host.

`ask` asks each for its robots.txt and sitemaps, no faster than `pacing` lets it, and gathers `facts`; what follows from
them for speed and time, `forecast` computes.
"""
