"""What deploy/ has is right as far as that can be told without starting it: files, options, units, Redis' settings."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from crawler.cli import cli
from tests.support.deployment import ROOT, check_dockerfile, check_unit
from tests.support.redis_server import RedisServer, require_redis

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
README = (DEPLOY / "README.md").read_text()


def parsed(words: list[str]) -> click.Context:
    """The command line as the crawler takes it, not carried out. Raises click's errors."""
    assert words[0] == "crawler"
    command = cli.get_command(click.Context(cli), words[1])
    assert command is not None, words[1]
    return command.make_context(words[1], words[2:])


def test_containerfile_copies_what_is_there_and_installs_what_workers_need():
    text = (DEPLOY / "Containerfile").read_text()
    check_dockerfile(text)
    extra = re.search(r'"/src\[(\w+)\]"', text)[1]
    assert extra in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert re.search(r"(?m)^USER 1000", text)
    assert not re.search(r"(?m)^FROM \S*[./]\S*/", text)


def test_what_the_build_copies_is_not_kept_from_it():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    copied = re.findall(r"(?m)^COPY (.*) \S+$", (DEPLOY / "Containerfile").read_text())
    assert {name for names in copied for name in names.split()} <= kept


def test_workers_of_compose_are_started_with_options_that_there_are():
    service = COMPOSE["services"]["worker"]
    context = parsed(["crawler", *map(str, service["command"])])
    assert context.params["frontier"].startswith("redis://redis:")
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert service["entrypoint"][:2] == ["sh", "-c"]
    assert subprocess.run(["sh", "-n", "-c", service["entrypoint"][2].replace("$$", "$")], check=False).returncode == 0


def test_compose_names_only_what_it_defines():
    for service in COMPOSE["services"].values():
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
        for volume in service["volumes"]:
            source, *_ = volume.split(":")
            assert source in COMPOSE["volumes"] or source.startswith("./")
            assert source.startswith("./crawl") or not source.startswith("./") or (DEPLOY / source).exists()
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"])


def test_nothing_secret_stands_in_a_file():
    for path in (path for path in DEPLOY.rglob("*") if path.is_file()):
        assert not re.search(r"(?i)(password[=:] *|requirepass )[0-9a-z]{8}", path.read_text()), path


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(unit, tmp_path):
    copy = tmp_path / unit.name
    shutil.copy(unit, copy)
    check_unit(copy, Path("/bin/true"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit_starts_workers_with_options_that_there_are(unit):
    text = unit.read_text()
    started = re.search(r"(?m)^ExecStart=\S+/(crawler .*)$", text)[1]
    values = dict(pair.split("=", 1) for pair in re.search(r"(?m)^Environment=(.*)$", text)[1].split())
    for name, value in values.items():
        started = started.replace(f"${{{name}}}", value)
    context = parsed(shlex.split(started.replace("%i", "shop")))
    assert str(context.params["processes"]) == "1"
    assert "$" not in started


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit_leaves_the_crawler_what_it_needs(unit):
    text = unit.read_text()
    families = re.search(r"(?m)^RestrictAddressFamilies=(.*)$", text)[1].split()
    assert {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"} <= set(families), "sockets, parsers, the list of addresses"
    assert "MemoryDenyWriteExecute=yes" not in text, "libffi writes code"
    assert "PrivateNetwork=yes" not in text
    assert int(re.search(r"(?m)^TimeoutStopSec=(\d+)$", text)[1]) > 10 + 30, "in flight for ten seconds, then stored"
    assert re.search(r"(?m)^StateDirectory=", text), "or nothing is writable below a read-only file system"


@pytest.mark.parametrize("command", re.findall(r"(?m)^docker compose run .*? worker (.+)$", README))
def test_commands_of_the_how_to_exist(command):
    words = shlex.split(command)
    parsed(["crawler", *words])


@pytest.mark.slow
async def test_a_crawl_trusts_a_server_with_this_configuration_and_the_user_of_the_how_to(tmp_path):
    require_redis()
    from redis.exceptions import NoPermissionError

    from crawler.fleet.link import Link
    from crawler.fleet.target import target_of

    user = re.search(r"(?m)^user crawler .*$", README)[0].replace("PASSWORD", "secret")
    lines = [line for line in (DEPLOY / "redis.conf").read_text().splitlines() if line and not line.startswith("#")]
    login = {"CRAWLER_REDIS_USERNAME": "crawler", "CRAWLER_REDIS_PASSWORD": "secret"}
    with RedisServer(tmp_path / "redis", *lines, user) as server:
        link = await Link.open(target_of(server.url, "shop", login))
        try:
            assert link.warnings == []
            for words in (
                ("SET", "{crawler:shop:7}:meta", "1"),
                ("EVAL", "return redis.call('TIME')", 1, "{crawler:shop:7}:meta"),
                ("PUBLISH", "{crawler:shop}:events", "x"),
                ("SET", "crawler:shop", "1"),
            ):
                await link.client.execute_command(*words)
            for words in (("SET", "another", "1"), ("FLUSHALL",)):
                with pytest.raises(NoPermissionError):
                    await link.client.execute_command(*words)
        finally:
            await link.aclose()
