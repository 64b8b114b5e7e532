"""What did a refresh tell, and was it what had been planted? And how does a crawl become older, for one that learns."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.support.changing import Planted

COLUMNS = {"done": ("at",), "history": ("checked_at", "changed_at", "gone_at"), "robots": ("expires_at",)}

CONTENT = ("status", "title", "description", "lang", "h1", "text", "canonical")
"""Fields of a page record that hang on its content alone."""


def told(ran):
    """URL -> what changes.jsonl says of it, as `Planted` has it; each URL once."""
    rows = ran.lines("changes.jsonl")
    found = {row["url"]: _planted(row) for row in rows}
    assert len(found) == len(rows), "a URL has two rows in changes.jsonl"
    return found


def _planted(row):
    if row["change"] != "changed":
        return Planted(row["change"])
    return Planted("changed", frozenset(row["fields"]) | ({"items"} if row["items"] else set()))


def content(ran):
    """URL -> what of its page record hangs on its content, and its items."""
    items = {}
    for item in ran.lines("offer.jsonl"):
        items.setdefault(item["_url"], []).append((item["sku"], item["price"]))
    return {page["url"]: (*(page[name] for name in CONTENT), items.get(page["url"])) for page in ran.pages}


def age(directory, seconds):
    """Have all that a crawl knows have been so much earlier."""
    with closing(sqlite3.connect(directory / "crawl.db")) as store:
        for table, columns in COLUMNS.items():
            sets = ", ".join(f"{column} = {column} - ?" for column in columns)
            store.execute(f"UPDATE {table} SET {sets}", (seconds,) * len(columns))
        store.commit()


def history(directory):
    """URL -> (visits, changes), of the store of a crawl."""
    with closing(sqlite3.connect(directory / "crawl.db")) as store:
        rows = store.execute("SELECT url, visits, changes FROM history JOIN url USING (id)")
        return {url: (visits, changes) for url, visits, changes in rows}
