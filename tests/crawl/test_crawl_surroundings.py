"""A crawl in poor surroundings: a locale, a home, folders, terminals and users as containers and cron have them."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess

import msgspec
import pytest

from crawler.cli import run
from tests.crawl.conftest import COMMAND, environment, options
from tests.support.server import Server
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

SITE = Web(pages_per_host=10)
ODD = "crå 日本"  #: what a folder may be called
IS_ROOT = os.geteuid() == 0

# What is run of COMMAND, in a space of mounts of its own: nothing is writable but the crawl's folder.
ALL_READ_ONLY = """
for folder in /tmp /var/tmp /usr/tmp /dev/shm; do
    [ ! -d $folder ] || [ $folder = {kept} ] || mount --bind $folder $folder || exit 99
    [ ! -d $folder ] || [ $folder = {kept} ] || mount -o remount,bind,ro $folder || exit 99
done
cd /proc && exec "$@"
"""


@pytest.fixture
def site():
    with Server(SITE) as server:
        yield server


def crawl(folder, server, *more, directory="crawl", env=(), gone=(), **keywords):
    """Crawl the site where these variables are set and those are gone."""
    variables = {name: value for name, value in {**environment(), **dict(env)}.items() if name not in gone}
    command = [*COMMAND, "crawl", *SITE.seeds(), *options(server), "-d", directory, *more]
    keywords = {"cwd": folder, "stdin": subprocess.DEVNULL} | keywords
    return subprocess.run(command, env=variables, capture_output=True, timeout=50, check=False, **keywords)


def assert_whole(done, directory):
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    lines = (directory / "pages.jsonl").read_bytes().splitlines()
    assert {msgspec.json.decode(line)["url"] for line in lines} == set(SITE.expected())


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
        {"LANG": "", "LC_ALL": "xx_YY.none"},
    ],
)
def test_a_crawl_needs_no_locale(site, tmp_path, locale):
    directory = tmp_path / ODD
    done = crawl(tmp_path, site, "--set", "extract.text=all", "-o", "-", directory=ODD, env=locale)
    assert_whole(done, directory)
    assert done.stdout == (directory / "pages.jsonl").read_bytes()


def test_a_folder_whose_name_is_no_text_is_as_good_as_any(site, tmp_path):
    name = os.fsdecode(b"cr\xe9\xff")
    assert_whole(crawl(tmp_path, site, directory=name), tmp_path / name)
    assert crawl(tmp_path, site, "--resume", directory=name).returncode == 0


@pytest.mark.parametrize(
    "env",
    [
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "COLUMNS": "wide", "TZ": "Nowhere/None"},
        {"HOME": "/proc", "TMPDIR": "/proc", "XDG_CACHE_HOME": "/proc", "TERM": "", "COLUMNS": "9" * 20, "LINES": "-1"},
        {"HOME": "", "TERM": "dumb", "COLUMNS": "1"},
    ],
)
def test_a_crawl_needs_no_home_and_no_terminal(site, tmp_path, env):
    assert_whole(crawl(tmp_path, site, env=env), tmp_path / "crawl")


def test_a_crawl_needs_next_to_no_environment_and_its_files_are_as_private_as_the_umask_says(site, tmp_path):
    kept = {"PYTHONPATH", "PYTHONWARNINGS"}
    assert_whole(crawl(tmp_path, site, gone=set(os.environ) - kept, umask=0o077), tmp_path / "crawl")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "crawl").iterdir()} == {0}


def test_a_terminal_of_any_width_shows_the_crawl(site, tmp_path):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "crawl", *SITE.seeds(), *options(site), "-d", "crawl"],
        cwd=tmp_path, env=environment() | {"TERM": "dumb"}, stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while True:
        try:
            data = os.read(controller, 65536)
        except OSError:  # EIO: nobody has the other end any more (Linux)
            break
        if not data:
            break
        shown += data
    os.close(controller)
    assert process.wait(50) == 0, shown
    assert b"10 page" in shown


def test_a_current_folder_that_is_gone_is_named(site, tmp_path):
    (tmp_path / "gone").mkdir()
    command = [
        "bash",
        "-c",
        'rmdir "$PWD"; exec "$@"',
        "-",
        *COMMAND,
        "crawl",
        *SITE.seeds(),
        "-d",
        str(tmp_path / "c"),
    ]
    done = subprocess.run(
        command, cwd=tmp_path / "gone", env=environment(), capture_output=True, timeout=50, check=False
    )
    assert done.returncode == 1
    assert b"current directory has been removed" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_crawl_directory_that_cannot_be_one_is_named(tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    for directory in (file, file / "below", "/proc/below"):
        assert run(["crawl", *SITE.seeds(), "-d", str(directory)]) == 2
        assert "cannot be used as a crawl directory" in capsys.readouterr().err


@pytest.mark.skipif(not IS_ROOT or not shutil.which("setpriv"), reason="becoming somebody else is root's")
def test_a_user_whom_the_system_does_not_know_can_crawl_where_it_may_write(site, tmp_path):
    stranger = ["setpriv", "--reuid", "4242", "--regid", "4242", "--clear-groups"]
    stranger += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]  # this Python may be root's alone
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 4242, 4242)
    command = [*stranger, *COMMAND, "crawl", *SITE.seeds(), *options(site), "-d", "theirs/crawl"]
    env = {name: value for name, value in environment().items() if name not in {"HOME", "USER", "LOGNAME"}}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=50, check=False)
    if b"Permission denied" in done.stderr or b"ambient" in done.stderr:
        pytest.skip("this machine does not let it run Python")
    assert_whole(done, tmp_path / "theirs/crawl")


@pytest.mark.skipif(not IS_ROOT or not shutil.which("unshare"), reason="a space of mounts of its own is root's")
def test_nothing_but_the_crawl_directory_need_be_writable(site, tmp_path):
    kept = f"/{tmp_path.parts[1]}"
    script = ALL_READ_ONLY.format(kept=kept)
    if kept in {"/tmp", "/var"}:  # then it is kept by a mount of its own
        script = f"mount --bind {tmp_path} /mnt || exit 99\n{ALL_READ_ONLY.format(kept='-')}"
        directory = "/mnt/crawl"
    else:
        directory = str(tmp_path / "crawl")
    for more in ([], ["--resume", "--set", "budget.pages=null"]):
        budget = [] if more else ["--max-pages", "5"]
        command = [*COMMAND, "crawl", *SITE.seeds(), *options(site), "-d", directory, *more, *budget]
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "-", *command],
            env=environment(), capture_output=True, timeout=50, check=False,
        )  # fmt: skip
        if done.returncode == 99 or b"unshare" in done.stderr:
            pytest.skip("this machine has no mounts to give")
        assert done.returncode == 0, done.stderr.decode()
    lines = (tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()
    assert {msgspec.json.decode(line)["url"] for line in lines} == set(SITE.expected())
