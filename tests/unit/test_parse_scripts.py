"""The process pool inside programs of its users: scripts without a guard, scripts that are killed."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROLOGUE = """
import asyncio, sys
sys.path.insert(0, {root!r})
from crawler.extract.page import Settings
from crawler.parse.process import ProcessParser
from tests.support.stunt_extractor import ENTRY, job, parse_config, said

async def say(parser, order):
    (page,) = await parser.parse([job(order)])
    return said(page)
"""


def write_script(folder, body):
    script = folder / "script.py"
    script.write_text(PROLOGUE.format(root=str(ROOT)) + textwrap.dedent(body))
    return [sys.executable, str(script)]


@pytest.mark.slow
def test_a_script_without_a_main_guard_runs_once(tmp_path):
    command = write_script(
        tmp_path,
        """
        print("top of the script")
        async def main():
            parser = ProcessParser(Settings(), parse_config(), entry=ENTRY)
            await parser.start()
            print(await say(parser, "echo done"))
            await parser.aclose()
        asyncio.run(main())
        """,
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=True)
    assert (done.stdout, done.stderr) == ("top of the script\n['done']\n", "")


@pytest.mark.slow
def test_a_script_read_from_standard_input_works():
    script = PROLOGUE.format(root=str(ROOT)) + textwrap.dedent(
        """
        async def main():
            parser = ProcessParser(Settings(), parse_config(), entry=ENTRY)
            await parser.start()
            print(await say(parser, "echo done"))
            await parser.aclose()
        asyncio.run(main())
        """
    )
    done = subprocess.run([sys.executable], input=script, capture_output=True, text=True, timeout=15, check=True)
    assert (done.stdout, done.stderr) == ("['done']\n", "")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open to watch processes of others")
def test_workers_die_with_a_killed_parent_even_if_they_hang(tmp_path):
    command = write_script(
        tmp_path,
        """
        async def main():
            parser = ProcessParser(Settings(), parse_config(), entry=ENTRY)
            await parser.start()
            pids = {await say(parser, "parent")}
            while len(pids) < 3:
                pids.update(await asyncio.gather(*(say(parser, "pid") for _ in range(4))))
            hanging = parser.parse([job("hang")])
            asyncio.get_running_loop().call_soon(print, *pids)
            sys.stdout.reconfigure(line_buffering=True)
            await hanging
        asyncio.run(main())
        """,
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        watched = [os.pidfd_open(int(pid)) for pid in script.stdout.readline().split()]
        script.kill()
    assert len(watched) == 3
    for pidfd in watched:
        ended, _, _ = select.select([pidfd], [], [], 5)
        os.close(pidfd)
        assert ended


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open to watch processes of others")
async def test_workers_of_a_killed_fork_server_die_even_if_they_hang():
    from crawler.extract.page import Settings
    from crawler.parse.process import ProcessParser
    from crawler.units import Duration
    from tests.support.stunt_extractor import ENTRY, job, parse_config, said

    parser = ProcessParser(Settings(), parse_config(workers=1, deadline_s=Duration(1.0)), entry=ENTRY)
    await parser.start()
    pid, server = (said(page) for page in await parser.parse([job("pid"), job("parent")]))
    pidfd = os.pidfd_open(pid)
    call = asyncio.ensure_future(parser.parse([job("hang")]))
    await asyncio.sleep(0)
    os.kill(server, signal.SIGKILL)
    ended, _, _ = await asyncio.to_thread(select.select, [pidfd], [], [], 5)
    os.close(pidfd)
    assert ended
    (page,) = await call  # tried again by a worker of the next server, which kills it in time
    assert page.reason == "parse_deadline"
    await parser.aclose()


@pytest.mark.slow
def test_a_pool_starts_where_a_thousand_files_are_open(tmp_path):
    command = write_script(
        tmp_path,
        """
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (1_200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_030)]
        async def main():
            parser = ProcessParser(Settings(), parse_config(), entry=ENTRY)
            await parser.start()
            try:
                print(await say(parser, "echo done"))
            finally:
                await parser.aclose()
        asyncio.run(main())
        """,
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert (done.stdout, done.stderr) == ("['done']\n", "")
