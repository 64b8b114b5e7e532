"""What README.md and the map of CONTRIBUTING.md lead to. Commands, YAML and Python are run by test_docs.py."""

from __future__ import annotations

import re
import shlex

import pytest

from crawler.config.file import load, loads
from crawler.demo.shop import find_page
from crawler.extract.rules import RuleSet
from tests.support.documents import DOCUMENTS, ROOT, steps
from tests.support.rules import page, resolving

README = (ROOT / "README.md").read_text()
STEPS = steps(ROOT / "README.md")
FILES = {step.file_name: step.text for step in STEPS if step.file_name}


def test_readme_shows_the_commands_a_new_user_needs():
    shown = {shlex.split(step.text, comments=True)[1] for step in STEPS if step.text.startswith("crawler ")}
    assert {"init", "crawl", "check", "why", "try", "export", "reparse", "report"} <= shown
    assert README.index("make demo") < README.index("make test") < README.index("crawler init")


@pytest.fixture
def rules(tmp_path):
    """The rules of the README, read from a file."""
    path = tmp_path / "rules.yaml"
    path.write_text(FILES["rules.yaml"])
    return load(path, or_rules=True).config.extract.rules


def test_yaml_of_the_readme_is_a_configuration_and_rules(rules):
    assert FILES.keys() == {"crawl.yaml", "rules.yaml", "shops.py"}
    assert loads(FILES["crawl.yaml"], "README.md").config.scope.max_depth == 5
    assert [rule.name for rule in rules] == ["products", "lists"]


def test_rules_of_the_readme_take_records_and_links_of_the_shop(rules):
    url = "http://shop.test/products/pocket-notebook"
    found = RuleSet(rules).scrape(page(find_page("/products/pocket-notebook"), url=url), resolving(url))
    assert [record["price"] for _, record in found.records] == ["6.50"]
    found = RuleSet(rules).scrape(
        page(find_page("/category/pens"), url="http://shop.test/category/pens"), resolving(url)
    )
    assert (found.records, found.rejects) == ([], [])


def test_readme_leads_to_every_document():
    for document in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{document.name})" in README


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path):
    named = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text())
    assert [name for name in named if not (path.parent / name).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_a_heading_lead_to_one(path):
    for name, anchor in re.findall(r"\]\(([\w./-]*\.md)?#([\w-]+)\)", path.read_text()):
        headings = re.findall(r"(?m)^#+ (.*)$", (path.parent / name if name else path).read_text())
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_map_for_contributors_names_every_part_of_the_package():
    shown = re.search(r"(?ms)^    crawler/\n.*?^(?=\S)", (ROOT / "CONTRIBUTING.md").read_text())
    named = set(re.findall(r"\b(\w+(?:\.py|/))(?=[ ,\n])", shown[0]))
    real = {path.name + ("/" if path.is_dir() else "") for path in (ROOT / "crawler").iterdir()}
    real -= {"__pycache__/", "__init__.py", "__main__.py", "py.typed"}
    assert real <= named
    assert {name for name in named if not (ROOT / "crawler" / name).exists()} <= {"crawler/"}
