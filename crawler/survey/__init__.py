"""What do hosts say to being crawled, how would it go, and what suits them? Before a crawl, for a few requests a host.

`ask` asks each for its robots.txt and sitemaps, no faster than `pacing` lets it, and gathers `facts`; what follows from
them for speed and time, `forecast` computes. `look` looks at some pages of a site too, of different `shapes`; what
suits it, `propose` says, and which `records` its pages describe becomes a rule in `rule_guess`.
"""
