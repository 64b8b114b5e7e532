"""What is told to a person is obeyed by no terminal, whichever way it takes."""

from __future__ import annotations

import ast
import io
import logging
import os
import pty
import subprocess
import sys
import unicodedata
from pathlib import Path

import msgspec
import pytest

import crawler
from crawler.cli import out, run
from crawler.cli.logs import logging_to
from crawler.config import CrawlConfig
from crawler.config.file import dump, loads
from crawler.directory import CrawlDirectory
from crawler.wording import printable

HOSTILE = (
    "\x00\x07\x08\x0b\x0c\r\x1b[31m\x1b]0;title\x07\x7f\x85\x9b2J\u00ad\u061c\u180e\u200b\u200d\u200e\u200f\u2028\u2029"
    "\u202a\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufff9\U000e0001\U000e0041\ud800\udcff\u3164\u115f\ue000"
)


def raw_in(text: str) -> set[str]:
    """The characters of `text` that a terminal may obey or hide."""
    bad = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}
    return {c for c in text if c != "\n" and unicodedata.category(c) in bad}


def test_everything_hostile_is_escaped_one_by_one():
    for character in raw_in(HOSTILE) | {"\u3164", "\u115f"}:
        shown = printable(f"a{character}b")
        assert shown.startswith("a\\")
        assert shown.endswith("b")
        assert shown.isascii()


def test_letters_of_all_languages_and_emoji_are_left_alone():
    text = "naïve Größe 価格 السعر עברית हिन्दी ไทย 😀 ☎\ufe0f"
    assert printable(text) == text


def test_lines_stay_lines():
    assert out.safe_lines("one\ntwo\rthree\n") == "one\ntwo\\rthree\n"


def test_json_is_escaped_without_changing_what_it_means():
    value = {"k\x7f\u202e": HOSTILE.replace("\ud800\udcff", "")}
    data = msgspec.json.encode(value)
    safe = out.safe_json(data)
    assert raw_in(data.decode())
    assert not raw_in(safe.decode())
    assert msgspec.json.decode(safe) == value


def test_what_a_stream_cannot_encode_is_escaped(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    out.tell("Größe")
    assert stream.buffer.getvalue() == b"Gr\\xf6\\xdfe\n"


def test_a_closed_stream_is_told_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    out.tell("hello", err=True)


def test_logging_crashes_and_prints_to_a_guarded_stderr_are_escaped(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    out.guard_stderr()
    print(HOSTILE, file=sys.stderr)
    logging.lastResort.emit(logging.LogRecord("asyncio", logging.ERROR, "", 0, "never retrieved: %s", (HOSTILE,), None))
    sys.excepthook(ValueError, ValueError(HOSTILE), None)
    assert stream.getvalue().count("\\x1b[31m") == 3
    assert not raw_in(stream.getvalue())


def test_an_uncaught_exception_quotes_nothing_raw():
    code = "from crawler.cli import out; out.guard_stderr(); raise ValueError('\\x1b[31m\\u202e')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ValueError: \\x1b[31m\\u202e" in done.stderr
    assert not raw_in(done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[31m\u202e"],
        ["crawl", "--\x1b[31m"],
        ["crawl", "http://[\x1b[31m\u202e"],
        ["crawl", "example.org", "--set", "\x1b[31m\u202e=1"],
        ["crawl", "example.org", "--set", "scope.max_depth=\x1b[31m\u202e"],
        ["crawl", "example.org", "--set", "scope.include=[\x1b[31m\u202e]"],
        ["crawl", "example.org", "-d", "nowhere/\x1b[31m{"],
        ["crawl", "-c", "no\x1b[31m\udcff.yaml"],
        ["crawl", "no\x1b[31m\u202e.txt"],
        ["why", "no\x1b[31m", "example.org"],
        ["export", "no\x1b[31m", "pages"],
        ["report", "no\x1b[31m"],
        ["reparse", "no\x1b[31m\u2028"],
        ["try", "no\x1b[31m.html"],
        ["schema", "\x1b[31m"],
    ],
)
def test_arguments_that_are_quoted_are_escaped(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) in (1, 2, 3)
    said = capsys.readouterr().err
    assert said
    assert not raw_in(said)


def test_yaml_that_is_quoted_is_escaped(capsys, tmp_path):
    path = tmp_path / "a\u202eb.yaml"
    path.write_text('seeds: ["\\e[31m\\u202e"]\nscope: {max_depth: "\\e[31m"}\n"\\x9b\\u2028": 1\nname: "\\e"\n')
    assert run(["check", str(path)]) == 2
    said = capsys.readouterr().err
    assert "3 mistakes" in said
    assert not raw_in(said)


def test_a_configuration_that_is_printed_is_safe_and_means_the_same(capsys, tmp_path):
    path = tmp_path / "crawl.yaml"
    path.write_text('extract: {rules: [{name: x, fields: {"价": {const: "\\e[31m\\u202e\\x9b"}}}]}\n')
    assert run(["check", str(path)]) == 0
    printed = capsys.readouterr().out
    assert not raw_in(printed)
    assert loads(printed, "printed").config == loads(path.read_text(), "written").config
    assert "价" in dump(loads("extract: {rules: [{name: x, fields: {价: {const: b}}}]}", "").config)


def test_a_line_of_the_log_is_one_line_without_control_characters(tmp_path):
    with logging_to(CrawlDirectory(tmp_path), CrawlConfig(), verbose=False):
        logging.getLogger("crawler.x").warning("a %s", HOSTILE, extra={"url": HOSTILE, "host": "h\n2026 ERROR"})
    text = (tmp_path / "crawl.log").read_text()
    assert text.count("\n") == 1
    assert not raw_in(text)


@pytest.mark.slow
def test_records_shown_on_a_terminal_are_escaped_and_those_in_a_pipe_are_not(tmp_path):
    record = {"url": "https://example.org/", "title": "\x7f\x9b2J\u202e\u200b"}
    line = msgspec.json.encode(record) + b"\n"
    (tmp_path / "pages.jsonl").write_bytes(line)
    command = [sys.executable, "-m", "crawler", "export", str(tmp_path), "pages"]
    piped = subprocess.run(command, capture_output=True, check=True).stdout
    assert piped == line
    parent, child = pty.openpty()
    subprocess.run(command, stdout=child, stderr=subprocess.DEVNULL, check=True)
    os.close(child)
    shown = os.read(parent, 10_000)
    os.close(parent)
    assert not raw_in(shown.decode().replace("\r\n", "\n"))
    assert msgspec.json.decode(shown) == record


@pytest.mark.slow
def test_the_command_line_writes_to_its_person_in_one_place():
    """Calls that write past `crawler.cli.out`, with the reason for each that there is."""
    allowed = {
        ("cli/showing.py", "PlainLines"): "what it shows is made printable",
        ("cli/showing.py", "Watching"): "what it shows is made printable",
    }
    found = set()
    for path in Path(crawler.__file__).parent.rglob("*.py"):
        name = path.relative_to(Path(crawler.__file__).parent).as_posix()
        if name == "cli/out.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("click.echo", "click.secho", "print", "sys.stdout.write", "sys.stderr.write"):
                found.add((name, called))
            for word in ("StreamHandler", "PlainLines", "Watching"):
                if called.endswith(word):
                    found.add((name, word))
    assert found == set(allowed)
