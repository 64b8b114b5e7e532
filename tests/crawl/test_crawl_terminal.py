"""What a hostile site says reaches no terminal and no log as it is, whichever command tells of it."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import subprocess
import unicodedata

import pytest

from crawler.cli import run as run_command
from tests.crawl.conftest import COMMAND, environment
from tests.support.rawserver import RawServer, page

EVIL = "\x1b[31m\x1b]0;owned\x07\x9b2J\x7f\u202e\u2066\u200b\u2028\ufeff\u00ad\x08\x0b"
#: as a server may write them where bytes are Latin-1
RAW = EVIL.encode()
HTML = b"Content-Type: text/html; charset=utf-8"
BAD = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp", "Co"))

PAGE = f"""<title>{EVIL}t\r\nitle</title><meta name=description content='{EVIL}'><h1>{EVIL}</h1>
<link rel=canonical href='/{EVIL}'><p class='a{EVIL}'>{EVIL}</p><a href='/x{EVIL}?{EVIL}'>{EVIL}</a>
<a href='http://{EVIL}.test/'>bad</a><a href='/to'>r</a><a href='/bad-to'>r</a><a href='/garbage'>g</a>
<a href='/status'>s</a><a href='/type'>t</a><a href='/chunks'>c</a><a href='/encoding'>e</a><a href='/json'>j</a>
<a href='/private{EVIL}'>p</a><a href='/crash'>h</a><a href='http://[{EVIL}/'>b</a>
<script type='application/ld+json'>{{"a":"{EVIL}"}}</script>
""".encode()


ROBOTS = b"""User-agent: *
Disallow: /private%b
Disallow: /private
Crawl-delay: 0
Sitemap: http://a.test/s%b.xml
Sitemap: http://a.test/map.xml
%b: %b
""" % (RAW, RAW, RAW, RAW)


async def answer(head, peer):
    target = head.split(b" ", 2)[1]
    answers = {
        b"/": page(PAGE, HTML, b"Server: " + RAW, b"X-Robots-Tag: " + RAW, b"Set-Cookie: a=" + RAW),
        b"/robots.txt": page(ROBOTS, b"Content-Type: text/plain; charset=" + RAW),
        b"/map.xml": page(b"<urlset><url><loc>http://a.test/m%b</loc></url>" % RAW, b"Content-Type: text/xml"),
        b"/to": page(b"", b"Location: /moved" + RAW, status=b"302 " + RAW),
        b"/bad-to": page(b"", b"Location: http://[" + RAW, status=b"302 Found"),
        b"/garbage": b"HTTP/1.1 " + RAW + b"\r\n\r\n",
        b"/status": page(b"no", HTML, status=b"404 " + RAW),
        b"/type": page(b"no", b"Content-Type: " + RAW + b"/" + RAW),
        b"/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + RAW + b"\r\n",
        b"/encoding": page(b"no", HTML, b"Content-Encoding: " + RAW),
        b"/json": page(b'{"a": "' + RAW + b'"', b"Content-Type: application/json"),
    }  # fmt: skip
    await peer.send(answers.get(target, page(b"<title>" + RAW + b"</title>", HTML)))


HOOK = f"""
def things(page):
    if page.url.endswith("crash"):
        raise RuntimeError({EVIL!r})
    yield {{"a": {EVIL!r}}}
"""


def configuration(port):
    return f"""
limits: {{default: {{delay: 0}}, adaptive: false}}
breaker: {{failures: null}}
checkpoint: {{every: 20ms, fsync: false}}
parse: {{workers: 1}}
export: {{warc: true}}
scope: {{exclude: ["/x%/", "/never/"]}}
sitemaps: {{follow: true}}
extract:
  python: "hook:things"
  rules:
  - {{name: p, each: p, fields: {{text: p, number: {{css: p, type: int, required: true}}}}}}
fetch:
  user_agent: bot/1 (+https://bot.test/)
  timeout: 3s
  resolve: {{"*.test": "127.0.0.1:{port}"}}
""".replace(":scope, p", "p")


def raw_in(data):
    """The characters that a terminal may obey or hide, of what is shown."""
    text = data.decode("utf-8", "surrogateescape")
    return {c for c in text if c != "\n" and unicodedata.category(c) in BAD}


@pytest.fixture
async def release():
    """What `/held` waits for."""
    return asyncio.Event()


@pytest.fixture
async def stage(tmp_path, release):
    async def answering(head, peer):
        if head.split(b" ", 2)[1] == b"/held":
            await release.wait()
        await answer(head, peer)

    async with RawServer(answering) as server:
        (tmp_path / "crawl.yaml").write_text(configuration(server.port))
        (tmp_path / "hook.py").write_text(HOOK)
        seeds = ["http://a.test/", f"http://a.test/seed{EVIL}", f"http://[{EVIL}", f"{EVIL}", "http://a.test/\udcff"]
        (tmp_path / "seeds.txt").write_text("\n".join(seeds), errors="surrogateescape")
        yield tmp_path


async def run(folder, *arguments, codes=(0,)):
    """A command of which nothing shown may be obeyed; what it said."""
    done = await asyncio.to_thread(
        subprocess.run, [*COMMAND, *arguments], cwd=folder, env=environment(), capture_output=True, check=False
    )
    return checked(arguments, done.returncode, done.stdout, done.stderr, codes)


def checked(arguments, code, out, err, codes):
    assert code in codes, (arguments, err.decode())
    assert not raw_in(out), (arguments, out)
    assert not raw_in(err), (arguments, err)
    return (out + err).decode()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_no_command_shows_what_a_terminal_would_obey(stage, capfdbinary, monkeypatch):
    config = ("-c", "crawl.yaml")
    brief = ("--set", "budget.time=2s")  # what fails is tried again after some seconds
    said = await run(stage, "crawl", "seeds.txt", *config, *brief, "-d", "crawl", "-v", codes=(0, 4))
    assert "\\x1b[31m" in said
    log = (stage / "crawl" / "crawl.log").read_bytes()
    assert not raw_in(log)
    assert b"garbage" in log
    monkeypatch.chdir(stage)

    def run_here(*arguments, codes=(0,)):
        """The same without a process of its own, for what only reads."""
        code = run_command(arguments)
        checked(arguments, code, *capfdbinary.readouterr(), codes)

    for url in (
        "http://a.test/",
        "http://a.test/private",
        f"http://a.test/x{EVIL}?{EVIL}",
        "http://a.test/status",
        EVIL,
    ):
        run_here("why", "crawl", url, codes=(0, 1, 3))
        run_here("why", "crawl", url, "--json", codes=(0, 1, 3))
    run_here("check", "crawl.yaml")
    for name in ("pages", "p.rejects", "things"):
        run_here("export", "crawl", name, "--to", f"{name}.csv")
    shown = await run(stage, "try", "crawl/http://a.test/", *config, codes=(0, 3))
    assert "reject" in shown
    await run(stage, "try", "http://a.test/crash", *config, "--json", codes=(0, 3))
    await run(stage, "try", EVIL, "crawl/http://a.test/", *config, codes=(0, 2, 3))
    await run(stage, "crawl", "seeds.txt", *config, "-d", "dry", "--dry-run", codes=(0, 3))
    await run(stage, "reparse", "crawl", "-d", "again")


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_records_and_progress_on_a_terminal_hold_only_what_is_ours(stage, release):
    """The live view has colours, erases and goes up; nothing else may be obeyed."""
    ours = re.compile(rb"\r|\x1b\[(?:[0-9;]*m|[JK]|\d+A)")
    variables = {name: value for name, value in environment().items() if name != "CI"} | {"TERM": "xterm"}

    async def shown_by(folder, is_enough, *more):
        release.clear()
        parent, child = pty.openpty()
        shown, seen = bytearray(), asyncio.Event()

        def read():
            shown.extend(os.read(parent, 65536))
            if is_enough(shown):
                seen.set()

        asyncio.get_running_loop().add_reader(parent, read)
        seeds = ("http://a.test/", "http://a.test/held")
        command = [*COMMAND, "crawl", *seeds, "-c", "crawl.yaml", "-d", folder, "--set", "fetch.timeout=60s"]
        process = await asyncio.create_subprocess_exec(
            *command, *more, cwd=stage, env=variables, stdin=subprocess.DEVNULL, stdout=child, stderr=child
        )
        await seen.wait()
        process.terminate()
        release.set()
        assert await process.wait() == 130
        await asyncio.sleep(0)  # what the terminal still holds is read
        asyncio.get_running_loop().remove_reader(parent)
        os.close(child)
        os.close(parent)
        return shown

    shown = await shown_by("crawl", lambda shown: b'"title":"\\u001b[31m' in shown, "-o", "-")
    shown += await shown_by("other", lambda shown: shown.count(b"in flight") > 4)
    assert raw_in(ours.sub(b"", shown)) == set()
