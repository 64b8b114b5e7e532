"""A crawl that runs, on a page: what it does now, and what it may be told. Served by the process that crawls."""
