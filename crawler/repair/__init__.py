"""How is a crawl made whole whose files are damaged?

decide      can the store be believed? If so:
files       the output files are brought in line with it, what they lack is fetched again
ended         which URLs have ended, as the store says
            if not:
rebuild     a new store is made of what the output files say
found         what they say was found and has not ended
origins       where URLs came from
            either way:
salvage     the good lines of a file that may be damaged
links       links.jsonl written anew
scraped     what rules found: pages that have lost some of it
givers        of which URLs a rule can have found something
"""
