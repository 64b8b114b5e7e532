"""A crawl watched and steered at a terminal, with a person's keys and a real server."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import termios

import pytest

from tests.crawl.conftest import COMMAND, options
from tests.support.rawserver import RawServer, page
from tests.support.terminal import Terminal, run_plainly

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

HTML = b"Content-Type: text/html"
KEYS = "p pause"
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;\d+)*m")


class Site:
    """Pages 0 to `pages`, each linked from the first, `missing` of them 404; `held` is not answered before `open`."""

    def __init__(self, pages, *, held=(), missing=(), body=b""):
        self.server = RawServer(self._answer)
        self.open = asyncio.Event()
        self._held, self._missing, self._body = held, missing, body
        self._links = b"".join(b"<a href=/%d>a</a>" % number for number in range(1, pages))

    async def _answer(self, head, peer):
        target = head.split(b" ", 2)[1][1:]
        if target == b"robots.txt" or (target and int(target) in self._missing):
            return await peer.send(page(b"", HTML, status=b"404 Not Found"))
        number = int(target or 0)
        if number in self._held:
            await self.open.wait()
        return await peer.send(page(b"<title>t</title>%b" % (self._body if number else self._links), HTML))

    async def __aenter__(self):
        await self.server.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.server.__aexit__(*error)

    def command(self, *more):
        return ["http://a.test/", "-d", "crawl", *options(self.server, *more)]

    @property
    def asked(self):
        return len(self.server.heads)


def seconds(text):
    """The running time that a view tells."""
    return float(re.search(r"(\d+(?:\.\d)?) s$", text, re.MULTILINE)[1])


def modes(terminal):
    return termios.tcgetattr(terminal._theirs)


async def test_view_tells_the_counts_that_the_summary_tells_in_its_place(tmp_path):
    async with Site(30, held=(20,), missing=(3, 5)) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command())
        text = await terminal.until(lambda text: "27 fetched  2 failed" in text and "1 of 200 in flight" in text)
        assert re.search(r"━+─*  96 %  29 of 30 URLs known", text)
        assert "27 pages" in text
        assert re.search(r"^a\.test +fetching|^a\.test +ready", text, re.MULTILINE)
        assert re.search(r"^failed +http_404  2  \+2 +Not Found", text, re.MULTILINE)
        assert KEYS in text
        assert COLOUR.search(terminal.written)
        site.open.set()
        assert await terminal.ended() == 0
        assert KEYS not in terminal.text
        assert "━" not in terminal.text
        assert "28 pages in" in terminal.text
        assert re.search(r"^  failed +2$", terminal.text, re.MULTILINE)
        assert modes(terminal) == terminal.modes


async def test_keys_pause_resume_and_change_how_many_are_in_flight(tmp_path):
    async with Site(6_000) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command("limits.concurrency=8", "limits.default.delay=5ms"))
        await terminal.until(KEYS)
        terminal.type("\x1b[B")  # an arrow
        terminal.type("p")
        text = await terminal.until(lambda text: " PAUSED " in text and "0 of 8 in flight" in text)
        asked = site.asked
        await terminal.until(lambda now: seconds(now) > seconds(text) + 1)
        assert site.asked == asked
        terminal.type("-")
        assert "At most 7 in flight." in await terminal.until("0 of 7 in flight")
        terminal.type("+")
        await terminal.until("0 of 8 in flight")
        terminal.type("?")
        await terminal.until("Ctrl-Z")
        terminal.type("?r")
        await terminal.until(lambda text: "Ctrl-Z" not in text and "PAUSED" not in text)
        site.server.asked.clear()
        await site.server.asked.wait()
        terminal.process.send_signal(signal.SIGTERM)
        assert await terminal.ended() == 130
        assert modes(terminal) == terminal.modes


async def test_q_lets_what_is_in_flight_finish(tmp_path):
    async with Site(9, held=(4,)) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command("limits.concurrency=1"), NO_COLOR="1")
        text = await terminal.until(lambda text: KEYS in text and "4 queued  1 of 1 in flight" in text)
        terminal.type("quit\n")  # pasted
        await terminal.until(lambda now: seconds(now) > seconds(text) + 0.3)
        terminal.type("q")
        text = await terminal.until(" STOPPING ")
        assert "Ctrl-C does not wait" in text
        site.open.set()
        assert await terminal.ended() == 130
        assert "Crawl interrupted: 5 pages" in terminal.text
        assert not COLOUR.search(terminal.written)
        assert modes(terminal) == terminal.modes


async def test_second_ctrl_c_does_not_wait_and_restores_the_terminal(tmp_path):
    async with Site(9, held=(4,)) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command())
        await terminal.until(lambda text: KEYS in text and "1 of 200 in flight" in text)
        assert modes(terminal) != terminal.modes
        terminal.type("\x03")
        await terminal.until(" STOPPING ")
        terminal.type("\x03")
        assert await terminal.ended() == 130
        assert "Crawl interrupted: 8 pages" in terminal.text
        assert modes(terminal) == terminal.modes


async def test_crawl_that_fails_restores_the_terminal(tmp_path):
    async with Site(200, held=range(1, 200), body=b"word " * 20_000) as site, Terminal() as terminal:
        command = shlex.join([*COMMAND, "crawl", *site.command()])
        await terminal.start(tmp_path, "bash", "-c", f"ulimit -f 2000; exec {command}")
        await terminal.until(KEYS)
        assert modes(terminal) != terminal.modes
        site.open.set()
        assert await terminal.ended() == 1
        assert "File too large" in terminal.text
        assert modes(terminal) == terminal.modes


async def test_neither_another_size_nor_what_others_write_leaves_anything_behind(tmp_path):
    async with Site(30, held=(20,), missing=(3,)) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command())
        await terminal.until(lambda text: "28 fetched" in text and "1 of 200 in flight" in text)
        os.write(terminal._theirs, b"printed by a hook\n")
        await terminal.until(lambda text: "printed by a hook\n\n" in text and text.count(KEYS) == 1)
        terminal.resize(40, 10)
        await terminal.until(lambda text: re.search(r"^28 pages .*1 in flight$", text, re.MULTILINE))
        lines, row = terminal.text.split("\n"), terminal.screen.cursor.y
        assert lines[row] == ""
        assert "━" in lines[row + 1]
        assert lines[row + 2].startswith("28 pages  ")
        assert not any(lines[row + 3 :])
        assert "printed by a hook" in lines[row - 1]
        terminal.resize(120, 40)
        text = await terminal.until(KEYS)
        assert text.count("96 %") == text.count("busiest hosts") == text.count(KEYS) == 1
        site.open.set()
        assert await terminal.ended() == 0
        assert "busiest hosts" not in terminal.text
        assert "printed by a hook" in terminal.text


async def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(tmp_path):
    async with Site(9, held=(4,)) as site, Terminal() as terminal:
        await terminal.start(tmp_path, "bash", "--norc", "-i", PS1="ready> ")
        await terminal.until("ready>")
        terminal.type(shlex.join([*COMMAND, "crawl", *site.command()]) + "\n")
        await terminal.until(lambda text: KEYS in text and "1 of 200 in flight" in text)
        terminal.type("\x1a")
        assert KEYS not in await terminal.until("Stopped")
        terminal.type("bg\n")
        await terminal.until(lambda text: text.rstrip().endswith("&\nready>"))
        terminal.type("echo a job in the background is $((20 + 22))\n")
        assert KEYS not in await terminal.until("background is 42")
        terminal.type("fg\n")
        await terminal.until(KEYS)
        terminal.type("q")
        await terminal.until("STOPPING")
        site.open.set()
        await terminal.until("Crawl complete: 9 pages")
        terminal.type("exit\n")
        assert await terminal.ended() == 0


async def test_seeds_typed_at_the_terminal_leave_no_keys(tmp_path):
    async with Site(9, held=(4,)) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, "-", *site.command()[1:])
        terminal.type("http://a.test/\n\x04")
        await terminal.until("Ctrl-C stops")
        assert modes(terminal) == terminal.modes
        site.open.set()
        assert await terminal.ended() == 0


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"CI": "true"}])
async def test_terminal_of_no_person_gets_plain_lines(tmp_path, variables):
    async with Site(9) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command(), **variables)
        assert await terminal.ended() == 0
        assert "9 pages in" in terminal.text
        assert terminal.written.replace(b"\r\n", b"").decode().isprintable()


async def test_pipe_gets_plain_lines_and_pays_for_no_view_even_where_colour_is_asked_for(tmp_path):
    async with Site(9) as site:
        done = await asyncio.to_thread(run_plainly, tmp_path, *site.command(), FORCE_COLOR="1", TERM="xterm")
        assert done.returncode == 0
        assert b"9 pages in" in done.stderr
        assert done.stderr.replace(b"\n", b"").decode().isprintable()
        assert re.search(rb"\| +crawler\.cli\.showing\n", done.stderr)
        assert not re.search(rb"\| +(rich|psutil|termios)\b", done.stderr)
