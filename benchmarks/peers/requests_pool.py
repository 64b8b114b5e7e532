"""requests in a pool of two processes that fetch, parse and resolve: python requests_pool.py START RECORDS.

One process a core, a session (keep-alive) each; the parent only keeps the set of known URLs and writes records.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from multiprocessing import Pool
from urllib.parse import urlsplit

import requests
from selectolax_record import record

AT_ONCE = 64  #: URLs handed to the pool and not yet answered
session: requests.Session


def open_session() -> None:
    """Once a process."""
    global session  # noqa: PLW0603
    session = requests.Session()
    session.trust_env = False  # or every request looks for proxies and a .netrc


def page(url: str) -> tuple[str | None, list[str]]:
    """A URL's record as a line of JSON, if it is a page, and the URLs it links to."""
    try:
        response = session.get(url, timeout=30)
    except requests.RequestException as error:
        print(url, error, file=sys.stderr)
        return None, []
    if response.status_code != 200 or not response.headers.get("content-type", "").startswith("text/html"):
        return None, []
    row, links = record(url, response.status_code, response.content)
    return json.dumps(row), list(links)


def crawl(start: str, records: str) -> None:
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(start))
    seen, waiting, answers = {start}, deque([start]), deque()
    with Pool(os.cpu_count(), open_session) as pool, open(records, "w") as file:  # noqa: PTH123
        while waiting or answers:
            while waiting and len(answers) < AT_ONCE:
                answers.append(pool.apply_async(page, (waiting.popleft(),)))
            row, links = answers.popleft().get()
            if row is not None:
                file.write(row + "\n")
            for link in links:
                if link.startswith(origin) and link not in seen:
                    seen.add(link)
                    waiting.append(link)


if __name__ == "__main__":
    crawl(*sys.argv[1:])
