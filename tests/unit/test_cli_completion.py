"""`crawler completion`: what Tab proposes, in the shells themselves."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawler.cli import COMMANDS, run
from crawler.cli.completion import SCRIPTS
from crawler.config.file import loads
from crawler.config.keys import keys
from crawler.config.values import all_keys

ROOT = Path(__file__).parents[2]
TAB = "\t"


@pytest.fixture
def answers(monkeypatch, capsys):
    """What a shell is answered: (kind, word) pairs."""

    def answer(line, shell="zsh"):
        monkeypatch.setenv("CRAWLER_COMPLETION_LINE", line)
        monkeypatch.setenv("_CRAWLER_COMPLETE", f"{shell}_complete")
        with pytest.raises(SystemExit):
            run([])
        return [tuple(told.split("\t")[:2]) for told in capsys.readouterr().out.splitlines() if told]

    return answer


def test_commands_are_proposed_without_being_imported():
    program = """
import os, sys
os.environ.update(_CRAWLER_COMPLETE="zsh_complete", CRAWLER_COMPLETION_LINE="crawler ")
from crawler.cli import run
try:
    run([])
except SystemExit:
    pass
heavy = ("asyncio", "aiohttp", "yaml", "msgspec", "selectolax", "crawler.cli.crawl", "crawler.config")
print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr == "[]\n"
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == list(COMMANDS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("crawler exp", [("plain", "export")]),
        ("crawler schema out", [("plain", "outcomes")]),
        ("crawler completion f", [("plain", "fish")]),
        ("crawler crawl --dry", [("plain", "--dry-run")]),
        ("crawler crawl -c ", [("file", "")]),
        ("crawler crawl -d ", [("dir", "")]),
        ("crawler why da", [("dir", "da")]),
        ("crawler crawl se", [("file", "se")]),
        ("crawler crawl --set robots.o", [("part", "robots.obey=")]),
        ("crawler crawl --set=robots.o", [("part", "--set=robots.obey=")]),
        ("crawler crawl --set robots.obey=t", [("plain", "robots.obey=true")]),
        ("crawler check crawl.yaml --set parse.backend=", [("plain", f"parse.backend={name}") for name in
                                                            ("process", "thread", "inline")]),
        ("crawler crawl --set nothing=", []),
        ("crawler crawl 'my fi", [("file", "my fi")]),
    ],
)  # fmt: skip
def test_proposals(answers, line, expected):
    assert answers(line) == expected


def test_bash_replaces_only_what_is_after_its_last_separator(answers):
    assert answers("crawler crawl --set robots.obey=t", "bash") == [("plain", "true")]
    assert answers("crawler crawl --set=robots.o", "bash") == [("part", "robots.obey=")]


def test_records_of_a_crawl_are_proposed_by_name(answers, tmp_path):
    for name in ("pages.jsonl", "lamps.jsonl.gz", "lamps.rejects.jsonl", "outcomes.jsonl", "runs.jsonl", "crawl.db"):
        (tmp_path / name).touch()
    assert [name for _, name in answers(f"crawler export {tmp_path} ")] == [
        "lamps",
        "lamps.rejects",
        "outcomes",
        "pages",
        "runs",
    ]


def test_keys_are_those_of_a_configuration_and_their_choices_are_right():
    known = {key.name: key for key in keys()}
    sections = {key for key in all_keys() if any(other.startswith(f"{key}.") for other in all_keys())}
    assert set(known) == set(all_keys()) - sections
    for which in (0, -1):
        loads("", "defaults", [f"{key.name}={key.choices[which]}" for key in known.values() if key.choices])
    assert known["scope.stay_on"].choices == ("host", "domain", "any")
    assert known["fetch.timeout"].choices == ()


@pytest.fixture
def shell(tmp_path):
    """Type into an interactive shell that has the script: returns once it shows `until`."""
    pyte = pytest.importorskip("pyte")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    program = binaries / "crawler"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m crawler "$@"\n')
    program.chmod(0o755)
    (tmp_path / "my data").mkdir()
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "TERM": "linux", "HOME": str(tmp_path)}
    masters = []

    def start(command, setup):
        if shutil.which(command[0]) is None:
            pytest.skip(f"there is no {command[0]} here")
        master, slave = pty.openpty()
        process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, env=environment, start_new_session=True
        )
        os.close(slave)
        masters.append((master, process))
        screen = pyte.Screen(100, 60)
        stream = pyte.ByteStream(screen)

        def type_in(text, until):
            os.write(master, text.encode())
            end = time.monotonic() + 15
            while until not in (shown := "\n".join(screen.display)):
                ready, _, _ = select.select([master], [], [], max(0.0, end - time.monotonic()))
                assert ready, f"{until!r} never came: {shown.strip()}"
                stream.feed(os.read(master, 65536))

        type_in(f"{setup}; echo set''up\n", "setup")
        return type_in

    yield start
    for master, process in masters:
        process.kill()
        process.wait()
        os.close(master)


TYPED = [
    ("repa", "reparse "),
    ("why my", "why my\\ data/"),
    ("crawl --set scope.stay", "scope.stay_on="),
    ("crawl --set scope.stay_on=dom", "scope.stay_on=domain "),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_tab_completes_in(shell, name):
    command = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[name]
    before = "autoload -Uz compinit; compinit -u -D; " if name == "zsh" else ""
    type_in = shell(command, f"PS1='> '; {before}source <(crawler completion {name})")
    for typed, expected in TYPED:
        type_in(f"crawler {typed}{TAB}", expected)
        type_in("\x15", "")  # the line is given up


@pytest.mark.slow
def test_fish_completes(tmp_path):
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("there is no fish here")
    script = tmp_path / "crawler.fish"
    script.write_text(SCRIPTS["fish"])
    (tmp_path / "my data").mkdir()
    function = f"function crawler; PYTHONPATH={shlex.quote(str(ROOT))} {sys.executable} -m crawler $argv; end"

    def complete(line):
        program = f"{function}; source {script}; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            [fish, "--no-config", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert complete("crawler repa") == ["reparse\tExtract again from an archive, without fetching."]
    assert complete("crawler crawl --set scope.stay_on=d") == ["scope.stay_on=domain"]
    assert [line.partition("\t")[0] for line in complete("crawler why my")] == ["my data/"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_printed_as_it_is_and_says_how_it_is_used(name, capsys):
    assert run(["completion", name]) == 0
    assert capsys.readouterr().out == SCRIPTS[name]
    assert f"crawler completion {name}" in SCRIPTS[name]


def test_an_unknown_shell_is_told_the_known_ones(capsys):
    assert run(["completion", "tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err
