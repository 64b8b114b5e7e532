"""Help of every command: all of it documented, in 80 columns and in 100, and its examples are commands that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from crawler import cli
from crawler.cli import COMMANDS, GROUPS, run
from crawler.cli.manual import MANUALS
from crawler.cli.page import Page
from crawler.cli.schema import KINDS

ROOT = Path(__file__).parents[2]
GROUP = click.Context(cli.cli, info_name="crawler")


def command(name):
    found = cli.cli.get_command(GROUP, name)
    assert found is not None
    return found


@pytest.fixture
def shown(monkeypatch, capsys):
    def show(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run([*arguments]) == 0
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("columns", [80, 100])
def test_help_fits(shown, name, columns):
    for line in shown(*filter(None, [name]), "--help", columns=columns).splitlines():
        assert len(line) <= columns, line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_in_a_sentence(name):
    for param in command(name).params:
        if isinstance(param, click.Option):
            assert param.help, param.opts
            assert param.help.endswith((".", ")")), param.help
            assert not param.is_flag or param.metavar is None
            assert param.is_flag or param.metavar, f"{param.opts} shows TEXT for what it takes"


@pytest.mark.parametrize("name", COMMANDS)
def test_short_help_is_that_of_the_list(name):
    assert command(name).short_help == COMMANDS[name]


@pytest.mark.parametrize("name", MANUALS)
def test_manual_is_shown_whole_and_its_groups_hold_options_that_exist(shown, name):
    found, manual = command(name), MANUALS[name]
    assert isinstance(found, Page)
    options = {
        max(param.opts, key=len) for param in found.params if isinstance(param, click.Option) and not param.hidden
    }
    assert {option for group in manual.groups.values() for option in group} <= options
    text = shown(name, "--help", columns=100)
    for title in ("Examples:", "Exit codes:"):
        assert f"\n{title}\n" in text
    for option in options:
        assert re.search(rf"^ .*{option}\b", text, re.MULTILINE), option
    for example in manual.examples:
        assert f"\n  {example}\n" in text
    for code in manual.exits:
        assert re.search(rf"^  {code} ", text, re.MULTILINE)


EXAMPLES = [(name, example) for name, manual in MANUALS.items() for example in manual.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_example_is_a_command_line_that_is_understood(name, example):
    typed = re.fullmatch(r"(?:source <\()?(crawler .*?)(?:\)| [>|] .*)?", example)
    assert typed is not None
    program, command_name, *arguments = shlex.split(typed[1])
    assert (program, command_name) == ("crawler", name)
    command(name).make_context(name, arguments, parent=GROUP)


def test_examples_say_no_more_than_fits():
    assert [example for _, example in EXAMPLES if len(example) > 78] == []


def test_see_also_names_what_is_there():
    for manual in MANUALS.values():
        for line in manual.see:
            for what in line.split(", "):
                words = what.split()
                if words[0] == "crawler":
                    known = command(words[1])
                    assert all(word in {opt for param in known.params for opt in param.opts} or word in KINDS
                               for word in words[2:])  # fmt: skip
                else:
                    assert (ROOT / what).is_file(), what


def test_every_command_is_in_a_group_once():
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(COMMANDS) <= set(grouped) | {"report"}


@pytest.mark.parametrize("arguments", [(), ("why",)])
def test_help_is_a_command_too(shown, arguments):
    assert shown("help", *arguments) == shown(*arguments, "--help")


def test_help_of_what_is_no_command_is_a_mistake(capsys):
    assert run(["help", "crwal"]) == 2
    assert "Did you mean crawl?" in capsys.readouterr().err


def test_help_loads_nothing_that_crawls():
    program = """
import sys
from crawler.cli import run
run(["crawl", "--help"])
heavy = ("aiohttp", "uvloop", "yaml", "selectolax", "rich", "crawler.engine", "crawler.config")
heavy += ("click.shell_completion",)
print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr == "[]\n"
