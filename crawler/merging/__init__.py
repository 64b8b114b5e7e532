"""How do the files of workers that shared a crawl become the files of one crawl?

segments    which workers' directories there are, and of which crawl
ledger      what the ledger is asked, and a copy of its answers
shared        the one in Redis
wanted      which ends of which workers it points at
attempts      or which count where it is gone
recalled      and what it held, as far as records tell
merge       all of it, in order:
gather        the records that are wanted, out of the workers' files
pieces          so many bytes at a time
bodies, archives, seeds
                and what comes along with them
filling       the store
totals        what the counts of many workers come to
publish     the new files put in the place of those before
"""
