"""The log: what a line says, which file it goes to, and that nobody waits for it."""

from __future__ import annotations

import logging
import sys
import threading

import msgspec
import pytest

from crawler.cli import log_queue
from crawler.cli.failing import way_on
from crawler.cli.log_file import LogFile
from crawler.cli.log_lines import JsonLines, LogLine, TextLines
from crawler.cli.log_queue import LogQueue
from crawler.cli.logs import logging_to
from crawler.config import CrawlConfig, LogConfig
from crawler.directory import CrawlDirectory
from crawler.plan import Plan
from crawler.units import Size
from tests.unit.test_cli_out import HOSTILE, raw_in

log = logging.getLogger("crawler.some.part")


def record(event="something happened", *, level=logging.WARNING, error=None, **extra):
    trace = None if error is None else (type(error), error, error.__traceback__)
    made = log.makeRecord(log.name, level, __file__, 1, event, (), trace, extra=extra)
    made.created = 1_700_000_000.125
    return made


def text(**extra):
    return TextLines("shop", 2).format(record(**extra))


def json(**extra):
    return msgspec.json.decode(JsonLines("shop", 2).format(record(**extra)), type=LogLine)


def raised():
    try:
        int(f"a\nb{HOSTILE}")
    except ValueError as error:
        return error


def test_a_line_of_text_has_time_level_crawl_event_and_what_it_is_about():
    line = text(url="https://a.test/x", attempt=2, why="status 503")
    assert line == (
        "2023-11-14T22:13:20.125Z WARNING [shop] something happened "
        "url=https://a.test/x host=a.test attempt=2 why=status 503"
    )


def test_a_json_line_says_the_same_and_has_every_key():
    line = JsonLines("shop", 2).format(record(url="https://a.test:81/x", wait_s=1.5))
    assert msgspec.json.decode(line) == {
        "at": "2023-11-14T22:13:20.125Z",
        "level": "WARNING",
        "crawl": "shop",
        "run": 2,
        "event": "something happened",
        "url": "https://a.test:81/x",
        "host": "a.test:81",
        "attempt": None,
        "wait_s": 1.5,
        "why": None,
        "logger": "crawler.some.part",
        "trace": None,
    }


def test_the_host_that_an_event_names_is_kept_and_one_that_no_url_has_is_none():
    assert json(host="*.a.test", url="https://b.test/").host == "*.a.test"
    assert json().host is None
    assert json(url="no url").host is None


def test_a_traceback_stands_in_one_key_or_in_indented_lines():
    told = json(error=raised())
    assert told.trace.startswith("Traceback (most recent call last):\n")
    first, *rest = text(error=raised()).split("\n")
    assert first.endswith("something happened")
    assert len(rest) >= 4
    assert all(line.startswith("    ") for line in rest)


def test_nothing_from_a_page_breaks_out_of_its_line_or_reaches_a_terminal():
    for made in (
        text(why=HOSTILE, url=f"https://a.test/\n{HOSTILE}"),
        JsonLines("s", 1).format(record(why=HOSTILE, error=raised())),
    ):
        assert not raw_in(made)
        assert "\n" not in made
    assert not raw_in(text(error=raised()))
    assert json(why="\x9b\u202e\x7fGröße").why == "\x9b\u202e\x7fGröße"
    assert json(why="no text: \udcff").why == "no text: \\udcff"


# --- the file


def file_in(folder, *, keep=2, most=100, as_json=False):
    directory = CrawlDirectory(folder)
    handler = LogFile(directory.log, older=directory.older_logs(), keep=keep, most_bytes=most, as_json=as_json)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


def written(folder):
    return {path.name: path.read_text().split() for path in sorted(folder.iterdir())}


def test_a_full_file_makes_room_and_only_so_many_are_kept(tmp_path):
    handler = file_in(tmp_path, most=12)
    for number in range(9):
        handler.emit(record(f"line{number}"))
    handler.close()
    assert written(tmp_path) == {
        "crawl.log": ["line8"],
        "crawl.log.1": ["line6", "line7"],
        "crawl.log.2": ["line4", "line5"],
    }


def test_with_none_kept_the_file_is_begun_anew(tmp_path):
    handler = file_in(tmp_path, keep=0, most=12)
    for number in range(5):
        handler.emit(record(f"line{number}"))
    handler.close()
    assert written(tmp_path) == {"crawl.log": ["line4"]}


def test_fewer_are_kept_once_fewer_are_asked_for(tmp_path):
    for number in (1, 2, 3, 7):
        (tmp_path / f"crawl.log.{number}").write_text(f"old{number}\n")
    handler = file_in(tmp_path, keep=1, most=6)
    handler.emit(record("line1"))
    handler.emit(record("line2"))
    handler.close()
    assert written(tmp_path) == {"crawl.log": ["line2"], "crawl.log.1": ["line1"]}


def test_a_line_longer_than_the_file_may_be_is_written_whole(tmp_path):
    handler = file_in(tmp_path, most=10)
    handler.emit(record("x" * 50))
    handler.close()
    assert written(tmp_path) == {"crawl.log": ["x" * 50]}


def test_it_is_appended_to_and_what_stood_there_counts(tmp_path):
    for number in range(2):
        handler = file_in(tmp_path, most=12)
        handler.emit(record(f"line{number}"))
        handler.close()
    handler = file_in(tmp_path, most=12)
    handler.emit(record("line2"))
    handler.close()
    assert written(tmp_path) == {"crawl.log": ["line2"], "crawl.log.1": ["line0", "line1"]}


def test_a_torn_last_line_is_ended_before_the_next_begins(tmp_path):
    (tmp_path / "crawl.log").write_text("whole\ntor")
    handler = file_in(tmp_path)
    handler.emit(record("next"))
    handler.close()
    assert written(tmp_path) == {"crawl.log": ["whole", "tor", "next"]}


@pytest.mark.parametrize(("before", "as_json"), [('{"a":1}\n', False), ("text\n", True)])
def test_a_file_holds_lines_of_one_format(tmp_path, before, as_json):
    (tmp_path / "crawl.log").write_text(before)
    handler = file_in(tmp_path, as_json=as_json)
    handler.emit(record("next"))
    handler.close()
    assert written(tmp_path) == {"crawl.log": ["next"], "crawl.log.1": before.split()}


def test_who_reads_a_file_reads_it_to_its_end_while_it_is_set_aside(tmp_path):
    handler = file_in(tmp_path, most=12)
    handler.emit(record("line0"))
    with (tmp_path / "crawl.log").open() as reader:
        for number in range(1, 4):
            handler.emit(record(f"line{number}"))
        assert reader.read().split() == ["line0", "line1"]
    handler.close()


def test_a_file_that_cannot_be_written_is_told_of_once(tmp_path, capsys):
    handler = file_in(tmp_path, most=6)
    handler.emit(record("line0"))
    (tmp_path / "crawl.log.2").mkdir()  # where nothing can be put
    (tmp_path / "crawl.log.2" / "x").touch()
    for _ in range(3):
        handler.emit(record("line1"))
    handler.close()
    assert capsys.readouterr().err.count("the log ends here") == 1


def test_a_file_that_cannot_be_written_harms_nothing_where_nobody_can_be_told(tmp_path, monkeypatch):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    handler, other = file_in(tmp_path, most=6), Slow()
    other.may_go.set()
    (tmp_path / "crawl.log.2").mkdir()
    (tmp_path / "crawl.log.2" / "x").touch()
    queue = LogQueue([handler, other])
    queue.start()
    for number in range(3):
        queue.handle(record(f"line{number}"))
    queue.close()
    assert [event for event, _ in other.got] == ["line0", "line1", "line2"]


# --- the thread


class Slow(logging.Handler):
    """Takes an event once it may."""

    def __init__(self):
        super().__init__()
        self.may_go = threading.Event()
        self.has_one = threading.Event()
        self.got = []

    def emit(self, record):
        self.has_one.set()
        self.may_go.wait()
        self.got.append((record.getMessage(), getattr(record, "why", None)))


def test_events_are_written_in_their_order_and_all_by_the_end():
    slow = Slow()
    slow.may_go.set()
    queue = LogQueue([slow])
    queue.start()
    for number in range(500):
        queue.handle(record(str(number)))
    queue.close()
    assert [event for event, _ in slow.got] == [str(number) for number in range(500)]


def test_nobody_waits_for_a_log_that_is_slow_and_what_it_leaves_out_is_told():
    slow = Slow()
    queue = LogQueue([slow], most=3)
    queue.start()
    queue.handle(record("0"))
    slow.has_one.wait()  # the first is being written
    for number in range(1, 10):
        queue.handle(record(str(number)))
    slow.may_go.set()
    queue.close()
    assert [event for event, _ in slow.got if event.isdigit()] == ["0", "1", "2", "3"]
    told = [why for event, why in slow.got if event == "left out of the log"]
    assert [why.split()[0] for why in told] == ["6"]


def test_the_end_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(log_queue, "PATIENCE_S", 0.01)
    slow = Slow()
    queue = LogQueue([slow], most=1)
    queue.start()
    for number in range(3):
        queue.handle(record(str(number)))
    queue.close()
    slow.may_go.set()


def test_without_a_thread_events_are_written_at_once(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    slow = Slow()
    slow.may_go.set()
    queue = LogQueue([slow])
    queue.start()
    queue.handle(record("now"))
    assert slow.got == [("now", None)]
    queue.close()


# --- all of it


def test_a_log_goes_to_stderr_too_where_it_is_asked_for_in_the_same_format(tmp_path, capsys):
    config = CrawlConfig(name="shop", log=LogConfig(format="json"))
    with logging_to(CrawlDirectory(tmp_path), config, verbose=True):
        log.debug("a request", extra={"url": "https://a.test/"})
    lines = (tmp_path / "crawl.log").read_text()
    assert capsys.readouterr().err == lines
    assert msgspec.json.decode(lines, type=LogLine).crawl == "shop"


def test_debug_events_are_not_made_where_nobody_asked(tmp_path):
    with logging_to(CrawlDirectory(tmp_path), CrawlConfig(), verbose=False):
        assert not log.isEnabledFor(logging.DEBUG)
        log.debug("a request")
    assert (tmp_path / "crawl.log").read_text() == ""


def test_a_reader_of_stderr_who_has_gone_harms_nothing(tmp_path, monkeypatch):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    with logging_to(CrawlDirectory(tmp_path), CrawlConfig(), verbose=True):
        log.info("one")
        log.info("two")
    assert (tmp_path / "crawl.log").read_text().count("\n") == 2


def test_limits_of_the_configuration_hold(tmp_path):
    config = CrawlConfig(log=LogConfig(max_file_bytes=Size(1000), keep=2))
    directory = CrawlDirectory(tmp_path)
    with logging_to(directory, config, verbose=False):
        for number in range(100):
            log.info("event", extra={"why": f"number {number}"})
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"crawl.log", "crawl.log.1", "crawl.log.2"}
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert all(directory.owns(path) for path in tmp_path.iterdir())
    assert directory.files() == [tmp_path / name for name in sorted(names)]


def test_a_fault_of_the_program_is_in_the_log_with_its_traceback(tmp_path):
    plan = Plan(config=CrawlConfig(), directory=CrawlDirectory(tmp_path))
    with (
        pytest.raises(ZeroDivisionError),
        logging_to(plan.directory, plan.config, verbose=False),
        way_on(plan, stream=False),
    ):
        1 / 0  # noqa: B018
    text = (tmp_path / "crawl.log").read_text()
    assert " ERROR [crawl] the program is at fault\n    Traceback (most recent call last):\n" in text
    assert text.endswith("    ZeroDivisionError: division by zero\n")
