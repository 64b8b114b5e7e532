"""What a profile's stacks are counted for: every part of the crawler that runs in a crawl has a stage."""

from pathlib import Path

from benchmarks.flame import Box, flame_graph
from benchmarks.profile import read_stacks
from benchmarks.stages import BESIDE, EVENT_LOOP, LOOP, OTHER, START_UP, WORKERS, frame, stage, stage_of

PACKAGE = Path(__file__).parents[2] / "crawler"
MODULES = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
#: what is run by commands other than `crawl`, or to mend a crawl before it goes on
NOT_IN_A_CRAWL = ("dataset/", "demo/", "diff/", "mining/", "repair/", "survey/", "tables/")
#: what a parser worker imports
IN_A_WORKER = (
    "extract/",
    "parse/known.py",
    "parse/heap.py",
    "heap.py",
    "scope.py",
    "url.py",
    "units.py",
    "models.py",
    "errors.py",
)
RUNNER = "Runner.run (asyncio/runners.py:118)"


def stage_of_stack(kind, *texts):
    return stage([frame(text) for text in texts], kind)


def test_every_module_of_a_crawl_has_a_stage():
    run = [name for name in MODULES if not name.startswith(NOT_IN_A_CRAWL)]
    assert [name for name in run if stage_of(name, "any", LOOP) == OTHER] == []


def test_every_module_of_a_parser_worker_has_a_stage():
    run = [name for name in MODULES if name.startswith(IN_A_WORKER)]
    assert [name for name in run if stage_of(name, "any", WORKERS) == OTHER] == []


def test_the_tables_name_nothing_that_is_gone():
    for line in (*LOOP.table, *WORKERS.table):
        pattern, _, function = line.partition(":")
        files = list(PACKAGE.glob(pattern))
        assert files, line
        assert not function or any(f"def {function}(" in file.read_text() for file in files), line


def test_the_innermost_function_of_ours_decides():
    inner = ("Engine._fetch (crawler/engine.py:248)", "HttpFetcher.fetch (crawler/fetch/http.py:113)")
    below = ("ClientSession._request (aiohttp/client.py:700)",)
    assert stage_of_stack(LOOP, RUNNER, *inner, *below) == "fetch"
    assert stage_of_stack(LOOP, RUNNER, "Engine._parsed (crawler/engine.py:1)") == "hand-over"
    assert stage_of_stack(LOOP, RUNNER, "Engine._feed (crawler/engine.py:1)") == "politeness"
    assert stage_of_stack(
        WORKERS, "serve (crawler/parse/worker.py:33)", "read_batch (crawler/parse/framing.py:90)"
    ) == ("wire in")
    assert stage_of_stack(WORKERS, "serve (crawler/parse/worker.py:33)") == "wire out"


def test_what_serves_all_stages_counts_for_its_caller():
    found = "MemoryFrontier.add (crawler/frontier/memory.py:10)"
    assert stage_of_stack(LOOP, RUNNER, found, "fingerprint (crawler/url.py:200)") == "frontier"
    page = ("serve (crawler/parse/worker.py:33)", "Targets.all (crawler/extract/targets.py:3)")
    assert stage_of_stack(WORKERS, *page, "join (crawler/url.py:9)") == "links"


def test_what_calls_the_loop_is_no_stage():
    outside = ("<module> (crawler/__main__.py:8)", "run_crawl (crawler/cli/running.py:101)")
    assert stage_of_stack(LOOP, *outside) == START_UP
    assert stage_of_stack(LOOP, *outside, RUNNER) == EVENT_LOOP
    assert stage_of_stack(LOOP, *outside, RUNNER, "data_received (aiohttp/client_proto.py:359)") == "fetch"
    writing = "Thread.run (threading.py:982)", "_worker (concurrent/futures/thread.py:83)"
    assert stage_of_stack(BESIDE, *writing) == "files and look-ups"


def test_imports_are_start_up_wherever_they_happen():
    importing = "_find_and_load (<frozen importlib._bootstrap>:1176)"
    assert stage_of_stack(LOOP, RUNNER, "Engine._feed (crawler/engine.py:1)", importing) == START_UP
    assert stage_of_stack(WORKERS, "serve (crawler/parse/worker.py:33)", importing) == START_UP


def test_samples_are_told_apart_by_process_and_thread():
    lines = [
        'process 10:"python; -m crawler";thread (10): MainThread;main (a.py:1);run (b.py:2) 5',
        'process 10:"python; -m crawler";thread (12);run (threading.py:2) 4',
        'process 10:"python";process 11:"python -c x";thread (11): MainThread;main (crawler/parse/forkserver.py:2) 3',
        'process 10:"python";process 13:"python -c x";thread (13): MainThread;serve (crawler/parse/worker.py:2) 2',
        "thread (10): MainThread;main (a.py:1) 1",
    ]
    assert [(kind, len(stack), count) for kind, stack, count in read_stacks(lines, main=10)] == [
        (LOOP, 2, 5),
        (BESIDE, 1, 4),
        (WORKERS, 1, 2),
        (LOOP, 1, 1),
    ]


def test_a_flame_graph_is_as_wide_as_what_was_sampled():
    root = Box()
    root.add(["main (a.py)", "<lambda> (b.py)"], "fetch", 3)
    root.add(["main (a.py)"], "frontier", 1)
    graph = flame_graph("A loop", root, ["fetch", "frontier"], us_a_page=80.0)
    assert "<title>A loop</title>" in graph
    assert "main (a.py): 80.0 us a page, 100.0%" in graph
    assert "&lt;lambda&gt; (b.py): 60.0 us a page, 75.0%" in graph
    assert root.callees["main (a.py)"].samples == 4
