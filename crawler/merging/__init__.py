"""How do the files of workers that shared a crawl become the files of one crawl?

segments    which workers' directories there are, and of which crawl
"""
