"""Follow a document on this machine: its commands in a shell, its files written, its Python run.

Four things are different from what a reader does, and nothing else: ``https://example.org/`` is the shop of
``crawler demo`` on loopback; it is asked without a pause; `REDIS` is a server of this reader's own, where one is
installed; and `NOT_RUN` is only looked at. What a document expects its
reader to have is there: see `furnish`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from crawler.config.file import load, loads
from tests.support import deployment
from tests.support.documents import ROOT
from tests.support.rules import configured

if TYPE_CHECKING:
    from tests.support.documents import Step

NOT_RUN = {
    r"git |make ": "of a clone, and what runs this; the targets of make are looked up",
    r"sudo |journalctl ": "changes the machine, or needs its systemd",
    r"python3? -m venv |(\.venv/bin/)?pip install|\. \.venv/": "installs from the package index",
    r"docker (build|compose) ": "needs a container engine; Dockerfile and compose.yaml are read, what they run is run",
    r"curl .*127\.0\.0\.1": "asks a crawl that is running: the tests of the dashboard do that",
    r"ssh ": "needs another machine",
    r"python -m (benchmarks|tests)\.|python scripts/|pytest|ruff|mypy|lint-imports": "takes minutes, or is CI itself",
}
"""Commands that are not run, by how they begin, and why. Each has to stand in some document."""

INSTEAD = {
    r" --watch\b": "",  # ends at Ctrl-C
    r" --open\b": "",  # starts a browser
    r"\btail -f": "tail",
    r"(--serve[ =]\S*?:?)\d{4}\b": r"\g<1>0",  # the port may be taken here
}
"""What is run in place of something that would not end, or meet others on this machine."""

REDIS = "redis://127.0.0.1:6379/0"
"""Where documents have a Redis or Valkey."""

_SITE = re.compile(r"(?<!\+)https://example\.org(?=[/\s'\"\])},]|$)")
_HOST = re.compile(r"(?<![\w.*+/=@:-])example\.org(?=[/\s'\"\]]|$)")
_PACED = f"""\
#!{sys.executable}
import os, sys
command, *given = sys.argv[1:] or ["--help"]
if command == "crawl":
    given += ["--delay", "0"]
elif command == "try" or "--from" in given:
    given += ["--set", "limits.default.delay=0s"]
os.execv({sys.executable!r}, [{sys.executable!r}, "-m", "crawler", command, *given])
"""


def why_not(command: str) -> str | None:
    """The reason for which a command is not run."""
    return next((reason for start, reason in NOT_RUN.items() if re.match(start, command)), None)


def localised(text: str, url: str, *, hosts: bool) -> str:
    """`text` with the shop at `url` in place of example.org; `hosts`: bare names too."""
    text = _SITE.sub(url, text)
    return _HOST.sub(url, text) if hosts else text


def furnish(folder: Path, url: str) -> None:
    """What a reader of any how-to has: a configuration, rules and seeds, which a crawl into data/shop goes by."""
    (folder / "bin").mkdir(parents=True)
    for name, script in (("crawler", _PACED), ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')):
        (folder / "bin" / name).write_text(script)
        (folder / "bin" / name).chmod(0o755)
    (folder / "bin" / "python3").symlink_to("python")
    (folder / "seeds.txt").write_text(f"{url}/\n")
    shutil.copy(ROOT / "config/rules/shop.yaml", folder)
    rules = yaml.safe_load((ROOT / "crawler/demo/crawl.yaml").read_text())["extract"]["rules"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules, sort_keys=False))
    crawl = {
        "name": "example",
        "seeds": [f"{url}/"],
        "limits": {"default": {"delay": "0s", "concurrency": 4}},
        "extract": {"rules": "rules.yaml"},
        "export": {"warc": True, "links": True},
    }
    (folder / "crawl.yaml").write_text(yaml.safe_dump(crawl, sort_keys=False))


def environment(folder: Path) -> dict[str, str]:
    """This environment with the commands of a furnished folder, which run this repository's code."""
    return {**os.environ, "PATH": f"{folder / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}


class Reader:
    """Somebody who follows one document in a folder of their own, step by step, whatever comes of each."""

    def __init__(self, steps: list[Step], folder: Path, url: str, redis_url: str | None = None) -> None:
        self._folder, self._url, self._redis_url = folder, url, redis_url
        self.done: dict[Step, Future[None]] = {step: Future() for step in steps}  #: how each step went, once it has

    def follow(self) -> None:
        """Take all steps in order."""
        for step, future in self.done.items():
            try:
                self._do(step)
            except BaseException as error:  # noqa: BLE001 - for the test of that step to raise
                future.set_exception(error)
            else:
                future.set_result(None)

    def _do(self, step: Step) -> None:
        if step.is_command and not step.file_name:
            self._type(step.text)
            return
        path = self._write(step) if step.file_name else None
        match step.language:
            case "yaml" if not (path and path.name.startswith("compose")):
                check_yaml(step.text, path)
            case "sql":
                ask(self._folder / "data/shop/crawl.db", step.text)
            case "ini":
                assert path, "a unit begins with the name of its file"
                deployment.check_unit(path, self._folder / "bin/crawler")
            case "python":
                self.run(f"python {shlex.quote(path.name if path else self._write(step).name)}")
            case "sh" | "bash":
                self.run(f"bash {shlex.quote(path.name)}")
        for command in deployment.commands_in(step.language, step.text):
            self._type(command)

    def _write(self, step: Step) -> Path:
        """The file that a block is; one that belongs into a folder of the machine goes into the reader's own."""
        path = self._folder / Path(step.file_name or "unnamed.py").name
        shell = step.language in ("sh", "bash")
        text = localised(step.text, self._url, hosts=shell or path.name == "seeds.txt")
        if step.language == "yaml":
            text = re.sub(r"(?m)(^seeds: .*|^ +- *)example\.org\b", rf"\1{self._url}", text)
            text = re.sub(r"\bdelay: \S+?(?=[,}\s]|$)", "delay: 0s", text)
        path.write_text(text.replace(REDIS, self._redis_url or REDIS) + "\n")
        return path

    def _type(self, command: str) -> None:
        """Run a command as a reader types it."""
        if command.startswith("make "):
            deployment.check_targets(command.split("#", maxsplit=1)[0].split()[1:])
        if reason := why_not(command):
            if re.match("docker (build|compose)", command):
                deployment.check_dockerfile((ROOT / "Dockerfile").read_text())
            pytest.skip(reason)
        for tool in re.findall(r"(?:^|\| )(jq|sqlite3|duckdb|zstd|curl)\b", command):
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed")
        if REDIS in command and self._redis_url is None:
            pytest.skip("neither redis-server nor valkey-server is installed")
        command = localised(command, self._url, hosts=True).replace(REDIS, self._redis_url or REDIS)
        for pattern, other in INSTEAD.items():
            command = re.sub(pattern, other, command)
        self.run(deployment.without_container(command))

    def run(self, command: str) -> None:
        """Run `command` by bash in the reader's folder; a failure shows all it said."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self._folder,
            env=environment(self._folder),
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = f"{command}\nexit code {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        assert done.returncode == 0, said
        assert "Traceback" not in said, said
        assert not re.search(r"(?m)^0 records", said), f"an export of nothing: {said}"


def check_yaml(text: str, path: Path | None) -> None:
    """That YAML is what its file's name says, or a part of a configuration, or rules."""
    if path:
        load(path, or_rules=True)
    else:
        read = yaml.safe_load(text)
        keys = read.keys() if isinstance(read, dict) else set()
        if isinstance(read, list) or "fields" in keys:
            configured(text)
        elif keys <= _rule_keys():
            configured("name: part\nfields: {title: h1, name: h1, price: .price}\n" + text)
        elif keys <= _sections():
            loads(re.sub(r"\brules: \S+\.yaml", "rules: []", text), "crawl.yaml")
        else:
            configured("name: part\nfields:\n" + "\n".join(f"  {line}" for line in text.splitlines()))


def _sections() -> set[str]:
    from crawler.config import CrawlConfig

    return set(CrawlConfig.__struct_encode_fields__)


def _rule_keys() -> set[str]:
    from crawler.config.scraping import RuleConfig

    return set(RuleConfig.__struct_encode_fields__)


def ask(database: Path, queries: str) -> None:
    """Run SQL on a crawl's database, as a reader may: it is opened read-only."""
    import sqlite3

    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for query in filter(str.strip, queries.split(";")):
            connection.execute(query).fetchall()
