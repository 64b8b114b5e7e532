"""What do all pages of a crawl say together? Near-duplicates, keywords, ranks, dead links and languages."""
