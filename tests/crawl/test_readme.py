"""What the README says, done as written: against a server on this machine instead of example.org."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.config.file import load, loads
from crawler.demo.serve import running_shop
from crawler.demo.shop import find_page
from crawler.extract.rules import RuleSet
from tests.crawl.conftest import environment
from tests.support.rules import page, resolving

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.split("  #")[0].strip()
    for language, block in BLOCKS
    if language == ""
    for line in block.splitlines()
    if line.startswith("crawler ")
]
YAML = {
    "rules.yaml" if block.startswith("# rules.yaml\n") else "crawl.yaml": block
    for language, block in BLOCKS
    if language == "yaml"
}
JQ = "import json, sys\nfor line in sys.stdin: print(json.dumps(json.loads(line)[sys.argv[1].lstrip('.')]))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a `crawler` and a `jq` on its PATH, and the files that the README's user has made."""
    folder = tmp_path_factory.mktemp("readme")
    for name, command in (("crawler", "-m crawler"), ("jq", f"-c {shlex.quote(JQ)}")):
        script = folder / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {command} "$@"\n')
        script.chmod(0o755)
    for name, yaml in YAML.items():
        (folder / name).write_text(yaml.replace("delay: 1s", "delay: 0s"))
    return folder


@pytest.fixture(scope="module")
def shop(folder):
    with running_shop() as url:
        (folder / "seeds.txt").write_text(url)
        yield url


def run(command, folder):
    path = {**environment(), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=path, capture_output=True, timeout=60, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_readme_works(command, folder, shop):
    local = re.sub(r"(?<= )(https://)?example\.org(?=[ /]|$)", shop, command)
    goes_on = "--resume" in local or "--retry" in local or "--repair" in local
    if local.startswith("crawler crawl") and "crawl.yaml" not in local and not goes_on:
        local = local.replace("crawler crawl", "crawler crawl --delay 0 --fresh", 1)
    done = run(local, folder)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout or done.stderr


def test_readme_shows_the_commands_a_new_user_needs():
    shown = {shlex.split(command)[1] for command in COMMANDS}
    assert {"crawl", "check", "why", "try", "export", "reparse"} <= shown
    assert "make demo" in README
    assert "make test" in README


def test_yaml_of_the_readme_is_a_configuration_and_rules(folder):
    assert YAML.keys() == {"crawl.yaml", "rules.yaml"}
    assert loads(YAML["crawl.yaml"], "README.md").config.scope.max_depth == 5
    rules = load(folder / "rules.yaml", or_rules=True).config.extract.rules
    assert [rule.name for rule in rules] == ["products", "lists"]


def test_rules_of_the_readme_take_records_and_links_of_the_shop(folder):
    rules = RuleSet(load(folder / "rules.yaml", or_rules=True).config.extract.rules)
    url = "http://shop.test/products/pocket-notebook"
    found = rules.scrape(page(find_page("/products/pocket-notebook"), url=url), resolving(url))
    assert [record["price"] for _, record in found.records] == ["6.50"]
    found = rules.scrape(page(find_page("/category/pens"), url="http://shop.test/category/pens"), resolving(url))
    assert (found.records, found.rejects) == ([], [])


def test_readme_names_every_document():
    for document in (ROOT / "docs").iterdir():
        assert f"(docs/{document.name})" in README


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").iterdir())], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path):
    named = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text())
    assert [name for name in named if not (path.parent / name).exists()] == []


@pytest.mark.slow
def test_python_of_the_readme_runs(folder, shop):
    (script,) = (block for language, block in BLOCKS if language == "python")
    (folder / "script.py").write_text(script.replace('Crawl("crawl.yaml")', 'Crawl("crawl.yaml", fresh=True)'))
    done = run(f"{shlex.quote(sys.executable)} script.py", folder)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Stationery" in done.stdout


def test_map_in_the_readme_names_every_part_of_the_package():
    named = set(re.findall(r"\b(\w+(?:\.py|/))(?=[ ,\n])", README[README.index("    crawler/\n") :]))
    real = {path.name + ("/" if path.is_dir() else "") for path in (ROOT / "crawler").iterdir()}
    real -= {"__pycache__/", "__init__.py", "__main__.py", "py.typed"}
    assert real <= named
    assert {name for name in named if not (ROOT / "crawler" / name).exists()} <= {"crawler/", "benchmarks/"}
