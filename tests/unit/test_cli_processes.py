"""Several processes of one machine: what each is given, and what becomes of one that dies."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time

import pytest

from crawler.cli import FAILED, INCOMPLETE, INTERRUPTED, NO_SEED, OK
from crawler.cli.processes import MOST_DEATHS, Processes, divided, processes_of, worker_words, worst
from crawler.config import CrawlConfig, LimitsConfig, ParseConfig
from crawler.errors import ConfigError


def test_the_machine_is_divided_without_a_rest():
    config = CrawlConfig(limits=LimitsConfig(concurrency=7), parse=ParseConfig(workers=3))
    parts = [divided(config, 2, number) for number in (0, 1)]
    assert parts[0] == ["limits.concurrency=4", "limits.memory=256MiB", "parse.workers=2"]
    assert parts[1] == ["limits.concurrency=3", "limits.memory=256MiB", "parse.workers=1"]


def test_more_processes_than_requests_at_once_are_refused():
    with pytest.raises(ConfigError, match=r"limits\.concurrency: 3: expected at least 1 for each"):
        divided(CrawlConfig(limits=LimitsConfig(concurrency=3)), 4, 0)
    with pytest.raises(ConfigError, match=r"limits\.memory"):
        divided(CrawlConfig(), 64, 0)


@pytest.mark.parametrize("text", ["0", "65", "-1", "two", ""])
def test_a_number_of_processes_is_one(text):
    with pytest.raises(ConfigError, match="expected a number from 1 to 64"):
        processes_of(text)


def test_each_gets_the_command_without_what_is_for_all_of_them():
    words = ["crawl", "--fresh", "-c", "a.yaml", "--processes=3", "--serve", "8600", "--set", "budget.pages=3"]
    first = worker_words(words, 3, 0, ["parse.workers=1"])
    assert " ".join(first) == ("crawl -c a.yaml --serve 8600 --set budget.pages=3 --process 1/3 --set parse.workers=1")
    second = worker_words([*words[:4], "--processes", "3", *words[5:], "--", "--fresh"], 3, 1, ["parse.workers=1"])
    assert " ".join(second) == ("crawl -c a.yaml --set budget.pages=3 --process 2/3 --set parse.workers=1 -- --fresh")


@pytest.mark.parametrize(
    ("codes", "whole"),
    [
        ([OK, OK], OK),
        ([OK, INCOMPLETE], INCOMPLETE),
        ([INCOMPLETE, NO_SEED], NO_SEED),
        ([INTERRUPTED, OK], INTERRUPTED),
        ([FAILED, INTERRUPTED], FAILED),
        ([-9, OK], FAILED),
        ([], OK),
    ],
)
def test_the_exit_code_is_the_worst(codes, whole):
    assert worst(codes) == whole


async def nothing():
    await asyncio.Event().wait()


def python(code):
    return [sys.executable, "-c", code]


async def test_one_that_dies_is_started_anew_and_the_others_are_left_alone(tmp_path):
    again = f"import os, pathlib, signal; p = pathlib.Path({str(tmp_path / 'x')!r})\n"
    again += "if not p.exists(): p.write_text(''); os.kill(os.getpid(), signal.SIGKILL)"
    told = []
    assert await Processes([python(again), python("")], told=told.append).run(nothing) == OK
    assert told == ["Process 1 was ended by SIGKILL: started anew, as another worker."]


async def test_one_that_dies_again_and_again_is_given_up():
    told = []
    assert await Processes([python("raise SystemExit(1)")], told=told.append).run(nothing) == FAILED
    assert len(told) == MOST_DEATHS + 1
    assert "not started again" in told[-1]


async def test_a_code_of_its_own_is_no_death():
    told = []
    assert await Processes([python("raise SystemExit(4)")], told=told.append).run(nothing) == INCOMPLETE
    assert told == []


async def test_a_signal_is_passed_on_once_and_nobody_is_started_anew(tmp_path):
    waiting = "import pathlib, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
    waiting += "pathlib.Path(sys.argv[1]).touch()\nwhile True: signal.pause()"
    ready = [tmp_path / "one", tmp_path / "two"]
    told = []

    async def stop():
        while not all(path.exists() for path in ready):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)
        await nothing()

    crew = Processes([[*python(waiting), str(path)] for path in ready], told=told.append)
    assert await crew.run(stop) == INTERRUPTED
    assert len(told) == 1


def test_one_whose_parent_is_killed_is_told_to_end(tmp_path):
    waiting = "import pathlib, signal, sys\nfrom crawler.cli.parent import end_with_parent\n"
    waiting += "signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(sys.argv[1]).write_text('told'), sys.exit()))\n"
    waiting += "end_with_parent()\npathlib.Path(sys.argv[1]).touch()\nwhile True: signal.pause()"
    said = tmp_path / "said"
    parent = "import asyncio, sys\nfrom crawler.cli.processes import Processes\n"
    parent += "asyncio.run(Processes([sys.argv[1:]]).run(asyncio.Event().wait))"
    with subprocess.Popen([*python(parent), *python(waiting), str(said)]) as process:
        while not said.exists():
            time.sleep(0.01)
        process.kill()
    while said.read_text() != "told":
        time.sleep(0.01)
