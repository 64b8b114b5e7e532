"""What a user might give a crawl: sinks and a fetcher of their own."""

from __future__ import annotations

import asyncio
import sqlite3

import msgspec

from crawler import Response
from crawler.config.file import loads

FRONT = "https://a.test/"


def quick(**overrides):
    settings = {"limits.default.delay": "0s", "checkpoint.every": "20ms", **overrides}
    return loads("", "test", [f"{key}={value}" for key, value in settings.items()]).config


def web_config(port):
    return quick(**{"fetch.resolve": f'{{"*.test": "127.0.0.1:{port}"}}', "limits.default.concurrency": "4"})


def lines(path):
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


async def awaits_what_is_cancelled(*_arguments, **_keywords):
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


class Kept:
    """A sink in memory, whose lines outlive it."""

    def __init__(self, lines=()):
        self.lines = list(lines)
        self.opened_at = []
        self.closed = False

    async def open(self, position):
        self.opened_at.append(position)
        del self.lines[position or 0 :]

    async def append(self, lines):
        self.lines += lines

    async def sync(self, *, fsync):
        return len(self.lines)

    async def aclose(self):
        self.closed = True


class Table:
    """A sink that writes to SQLite, as docs/embedding.md has it: rows are only its own once they are committed."""

    def __init__(self, path):
        self.path = path

    async def open(self, position):
        self.db = sqlite3.connect(self.path)
        self.db.execute("CREATE TABLE IF NOT EXISTS page (id INTEGER PRIMARY KEY, url TEXT)")
        self.db.execute("DELETE FROM page WHERE id > ?", (position or 0,))
        self.db.commit()

    async def append(self, lines):
        self.db.executemany(
            "INSERT INTO page (url) VALUES (?)", [(msgspec.json.decode(line)["url"],) for line in lines]
        )

    async def sync(self, *, fsync):
        self.db.commit()
        (last,) = self.db.execute("SELECT coalesce(max(id), 0) FROM page").fetchone()
        return last

    async def aclose(self):
        self.db.close()


class Folder:
    """A fetcher that has its answers at hand."""

    def __init__(self, answers):
        self.answers = answers
        self.closed = False
        self.asked = []

    async def fetch(self, request, started):
        self.asked.append(request.url)
        started()
        await asyncio.sleep(0)
        answer = self.answers.get(request.url, b"")
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, bytes):
            return answer
        headers = ((b"content-type", b"text/html"),)
        return Response(url=request.url, status=200 if answer else 404, headers=headers, body=answer)

    async def locate(self, host_key):
        return ()

    async def aclose(self):
        self.closed = True
