"""What a crawl loads before its first request, and how its process ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import crawler
from crawler.cli import run
from crawler.parse.server import Server

FIRST_REQUEST = """
import os, sys
from pathlib import Path
import crawler.fetchers
from crawler.cli import run
make = crawler.fetchers.http_fetcher
async def first(request, started):
    Path("loaded").write_text("\\n".join(sys.modules))
    os._exit(0)
def fetcher(*arguments, **named):
    made = make(*arguments, **named)
    made.fetch = first
    return made
crawler.fetchers.http_fetcher = fetcher
run(["crawl", "http://127.0.0.1:1/", "-d", "crawl", "-q", "--set", "robots.obey=false"])
"""

ENDING = """
import atexit, sys
{before}
import crawler.cli
def run(arguments):
    atexit.register(print, "registered while running")
    print("told", end="")
    {how}
crawler.cli.run = run
crawler.cli.main()
"""


NO_PROCESS = """
import errno, sys
import crawler.parse.server
def refuse(*arguments, **named):
    raise OSError(errno.EAGAIN, "no more processes")
crawler.parse.server.subprocess.Popen = refuse
from crawler.cli import run
sys.exit(run(["crawl", "http://127.0.0.1:1/", "-d", "crawl", "--set", "parse.backend={backend}", *{more}]))
"""


def python(code, cwd):
    environment = os.environ | {"PYTHONPATH": str(Path(crawler.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


def test_new_crawl_loads_nothing_of_going_on_before_its_first_request(tmp_path):
    python(FIRST_REQUEST, tmp_path)
    loaded = set((tmp_path / "loaded").read_text().split())
    assert "aiohttp" in loaded
    unused = (
        "reopen",
        "repair",
        "retry",
        "survey",
        "summary",
        "demo",
        "export.warc",
        "export.files",
        "frontier.memory",
    )
    assert not {name for name in loaded if name.startswith(tuple(f"crawler.{part}" for part in unused))}
    assert not {name for name in loaded if name.split(".")[0] in {"selectolax", "jmespath"}}


@pytest.mark.parametrize("before", ["", "atexit.register(print, 'registered before')"])
def test_process_ends_with_its_code_when_all_is_told_and_done(before, tmp_path):
    ended = python(ENDING.format(before=before, how="return 4"), tmp_path)
    assert ended.returncode == 4
    assert ended.stdout == "toldregistered while running\n" + "registered before\n" * bool(before)
    assert not ended.stderr


def test_program_that_runs_a_command_ends_with_a_code_of_its_own(tmp_path):
    code = """
import sys
from crawler.cli import main
try:
    main(["--version"])
except SystemExit as ended:
    sys.exit(ended.code + 7)
"""
    assert python(code, tmp_path).returncode == 7


@pytest.mark.parametrize("more", [["-q"], ["--dry-run"]])
def test_command_goes_on_without_a_process_that_it_may_not_need(more, tmp_path):
    going_on = """
import crawler.cli.dry_run, crawler.cli.running
crawler.cli.dry_run.dry_run = lambda plan, server: server is not None
crawler.cli.running.run_crawl = lambda plan, *, server, **named: server is not None
"""
    ended = python(going_on + NO_PROCESS.format(backend="inline", more=more), tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_backend_that_gets_no_process_says_so(tmp_path):
    ended = python(NO_PROCESS.format(backend="process", more=["-q"]), tmp_path)
    assert ended.returncode == 1
    assert "for the parser pool: [Errno 11] no more processes" in ended.stderr


def test_process_that_fails_tells_of_it(tmp_path):
    ended = python(ENDING.format(before="", how="raise RuntimeError('a mistake of ours')"), tmp_path)
    assert ended.returncode == 1
    assert "a mistake of ours" in ended.stderr


def test_output_that_nobody_takes_is_no_silent_success(tmp_path):
    code = ENDING.format(before="import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)", how="return 0")
    assert python(code, tmp_path).returncode != 0


def test_server_that_gets_no_pool_ends(tmp_path):
    server = Server()
    server.control.close()
    assert server.process.wait(10) == 0
    server.close()


@pytest.mark.parametrize(("backend", "code"), [("inline", 3), ("thread", 3), ("process", 1)])
def test_crawl_needs_no_process_unless_its_parsers_do(backend, code, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    options = ["-q", "--set", f"parse.backend={backend}", "--set", "scope.exclude=['*']"]
    assert run(["crawl", "http://127.0.0.1:1/", "-d", str(tmp_path / "crawl"), *options]) == code
    assert ("cannot start" in capsys.readouterr().err) == (backend == "process")


def test_server_starts_where_standard_streams_are_closed():
    code = """if True:
        import os
        for stream in range(2):
            os.close(stream)
        from crawler.parse.server import Server
        server = Server()
        server.control.close()
        code = server.process.wait()
        server.close()
        os._exit(code)
    """
    ended = python(code, Path.cwd())
    assert (ended.returncode, ended.stderr) == (0, "")
