"""The archives of several workers are one: each answer that counts once, and what a crash has cut off left out."""

from __future__ import annotations

import pytest

from crawler.archive.captures import MADE_ANEW, Captures
from crawler.archive.places import all_files, stale_answers
from crawler.clock import SystemClock
from crawler.dataset import archived
from crawler.export.carried import carry_archives
from crawler.export.warc import WarcSink
from crawler.merging.archives import merge_archives
from crawler.merging.gather import Last
from crawler.merging.segments import Segment, Worker
from crawler.models import Checkpoint
from crawler.sinks import WARC
from crawler.stores import store_alone
from tests.unit.test_export_warc import line


async def segment(directory, number, lines, *, uncommitted=(), **options):
    """A worker's directory, and up to where its archive is whole."""
    path = directory / str(number)
    path.mkdir()
    sink = WarcSink(path / WARC, "shop", software="test", **options)
    await sink.open(None)
    for one in lines:
        await sink.append([one])
        position = await sink.sync(fsync=False)
    if uncommitted:
        await sink.append(uncommitted)
        await sink.sync(fsync=False)
    await sink.aclose()
    worker = Worker(id=number, name="x", crawl="c", url="redis://x", prefix="p")
    return Segment(path, worker), Last({}, {WARC: position}, {})


async def merged(directory, workers, stale):
    """What is read of the archives of these workers, merged: URL and body of each answer; and who has read it."""
    segments, last = zip(*workers, strict=True)
    by_id = {one.worker.id: said for one, said in zip(segments, last, strict=True)}
    length = merge_archives(segments, by_id, stale, directory / WARC, "shop")
    store = store_alone(directory / "crawl.db", SystemClock())
    await store.open()
    await store.commit(Checkpoint(positions={WARC: length}))
    await store.aclose()
    reading = Captures(archived.sources([directory]))
    return [(capture.request.url[-1], capture.response.body) for capture in reading], reading


@pytest.mark.slow
@pytest.mark.parametrize("rotate_bytes", [1, 1 << 20], ids=["a file each", "one file"])
async def test_answers_that_others_made_anew_are_passed_over_and_their_payloads_found(tmp_path, rotate_bytes):
    """Of worker 2, 1 and 3 do not count; 4 refers to the payload of 1, 5 was never committed."""
    bodies = [b"zero", b"one", b"two", b"three", b"one"]
    second = await segment(
        tmp_path, 2, [line(n, body) for n, body in enumerate(bodies)], uncommitted=[line(5)], rotate_bytes=rotate_bytes
    )
    seventh = await segment(tmp_path, 7, [line(n, b"anew %d" % n) for n in (3, 1, 6)], rotate_bytes=rotate_bytes)
    found, reading = await merged(tmp_path, [second, seventh], {2: [1, 3]})
    assert found == [
        *(("0", b"zero"), ("2", b"two"), ("4", b"one")),
        *(("3", b"anew 3"), ("1", b"anew 1"), ("6", b"anew 6")),
    ]
    assert dict(reading.passed_over) == {MADE_ANEW: 2}
    assert not reading.torn


async def test_what_does_not_count_is_known_to_the_next_generation(tmp_path):
    workers = [await segment(tmp_path, number, [line(1), line(2)]) for number in (2, 7)]
    await merged(tmp_path, workers, {7: [0, 1]})
    (tmp_path / "next").mkdir()
    carry_archives(tmp_path, tmp_path / "next")
    told = stale_answers(tmp_path / "next" / WARC)
    assert told == stale_answers(tmp_path / WARC)
    assert [one.files for one in told] == [[all_files(tmp_path / "next" / WARC)[1].path.name]]


async def test_an_archive_shorter_than_its_journal_says_is_taken_as_it_is(tmp_path):
    worker, last = await segment(tmp_path, 2, [line(1), line(2)])
    (file,) = all_files(worker.path / WARC)
    whole = file.path.read_bytes()
    file.path.write_bytes(whole[:-60])
    found, reading = await merged(tmp_path, [(worker, last)], {})
    assert found[0] == ("1", b"<p>page 1")
    assert reading.torn
    (copied,) = all_files(tmp_path / WARC)
    assert copied.path.read_bytes() == whole[:-60]
