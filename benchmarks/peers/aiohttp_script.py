"""What one writes in an hour: aiohttp, selectolax and a set, in one process: python aiohttp_script.py START RECORDS.

64 coroutines on uvloop, keep-alive, no robots.txt, no retries, nothing kept on disk but the records.
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import urlsplit

import aiohttp
import uvloop
from selectolax_record import record

CONCURRENCY = 64


async def crawl(start: str, records: str) -> None:
    waiting: asyncio.Queue[str] = asyncio.Queue()
    waiting.put_nowait(start)
    seen = {start}
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(start))

    async def worker() -> None:
        while True:
            url = await waiting.get()
            try:
                async with session.get(url) as response:
                    body = await response.read()
                    if response.status == 200 and response.content_type == "text/html":
                        row, links = record(url, response.status, body)
                        file.write(json.dumps(row) + "\n")
                        for link in links - seen:
                            if link.startswith(origin):
                                seen.add(link)
                                waiting.put_nowait(link)
            except aiohttp.ClientError as error:
                print(url, error, file=sys.stderr)
            finally:
                waiting.task_done()

    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        with open(records, "w") as file:  # noqa: ASYNC230, PTH123
            workers = [asyncio.create_task(worker()) for _ in range(CONCURRENCY)]
            await waiting.join()
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


if __name__ == "__main__":
    uvloop.run(crawl(*sys.argv[1:]))
