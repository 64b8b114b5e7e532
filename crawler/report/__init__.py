"""What did a crawl come to? One self-contained page about it, made from the files in its directory.

`collect` reads the directory into `facts.Report`, `page` makes HTML of that; `write` does both and puts it in place.
"""
