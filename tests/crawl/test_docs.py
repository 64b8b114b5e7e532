"""Whatever README and docs tell a reader to do works: each document followed from top to bottom on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import click
import pytest

from crawler.cli import COMMANDS, cli
from crawler.config import CrawlConfig
from crawler.config.file import to_plain
from crawler.demo.serve import running_shop
from tests.support.documents import DOCUMENTS, RUN, SHELL, spoken, steps
from tests.support.following import NOT_RUN, REDIS, Reader, environment, furnish, why_not
from tests.support.redis_server import RedisServer, server_binary

STEPS = [step for document in DOCUMENTS for step in steps(document)]
FROM_NOTHING = ("README.md",)
"""Documents whose reader has nothing yet."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The shop's URL, and a folder in which it has been crawled."""
    folder = tmp_path_factory.mktemp("furnished") / "reader"
    with running_shop() as url:
        furnish(folder, url)
        crawl = ["crawler", "crawl", "-q", "-c", "crawl.yaml", "-d", "data/shop"]
        code = subprocess.run(crawl, cwd=folder, env=environment(folder), timeout=20, check=False).returncode
        assert code in (0, 4)
        shutil.copytree(folder / "data/shop", folder / "data/first")
        yield url, folder


@pytest.fixture(scope="module")
def went(request, shop, tmp_path_factory):
    """Step -> how it went, a future: of each document with a test to run. Documents are followed two at a time."""
    url, furnished = shop
    asked = {item.callspec.params["step"].document for item in request.session.items if "went" in item.fixturenames}
    futures = {}
    with ThreadPoolExecutor(max_workers=2) as followers, ExitStack() as servers:
        for document in sorted(asked):
            folder = tmp_path_factory.mktemp("reading") / "folder"
            leave_out = ("data", "*.yaml", "seeds.txt") if document in FROM_NOTHING else ()
            shutil.copytree(furnished, folder, symlinks=True, ignore=shutil.ignore_patterns(*leave_out))
            taken = [step for step in STEPS if step.document == document]
            redis_url = None
            if server_binary() and any(REDIS in step.text for step in taken):
                redis_url = servers.enter_context(RedisServer(folder.parent / "redis")).url
            reader = Reader(taken, folder, url, redis_url)
            futures |= reader.done
            followers.submit(reader.follow)
        yield futures
        followers.shutdown(cancel_futures=True)  # before their servers end


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("step", STEPS, ids=map(str, STEPS))
def test_step_of_a_document_works(step, went):
    went[step].result()


def test_every_block_is_of_a_kind_that_is_done():
    assert {step.language for step in STEPS} <= {*SHELL, *RUN, "text"}


@pytest.mark.parametrize("start", NOT_RUN)
def test_what_is_not_run_stands_in_some_document(start):
    assert [step for step in STEPS if step.is_command and re.match(start, step.text)]


def test_no_command_of_the_crawler_is_left_out():
    assert [step for step in STEPS if step.text.startswith("crawler ") and why_not(step.text)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_sentences_exist_and_have_these_options(document):
    for text in spoken(document):
        if matched := re.match(r"crawler ([a-z]+)\b(?!/)(.*)", text):
            assert matched[1] in COMMANDS, text
            command = cli.get_command(click.Context(cli), matched[1])
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            assert set(re.findall(r"(?<!\S)--[a-z-]+", matched[2])) <= known, text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_keys_of_the_configuration_in_sentences_exist(document):
    sections = to_plain(CrawlConfig())
    keys = [match[0] for text in spoken(document) if (match := re.match(r"[a-z_]+(\.[a-z_]+)+(?=[:= ]|$)", text))]
    for key in keys:
        at = sections
        for name in key.split(".") if key.split(".")[0] in sections and not key.endswith(".jsonl") else ():
            if isinstance(at, dict) and at:  # what is in an empty one, or in a list, is the user's own
                assert name in at, key
                at = at[name]
