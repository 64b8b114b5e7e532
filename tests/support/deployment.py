"""Are the files right that start a crawl by itself: a Dockerfile, compose.yaml, systemd's units, a crontab?

As far as that can be told without a container engine and without changing the machine: they are read by their own
rules, what they name has to exist, and the commands in them are given back to be run.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "LABEL", "RUN", "USER", "VOLUME", "WORKDIR"}
VALUED = {"--cpus", "--cpuset-cpus", "--env", "--memory", "--name", "--stop-timeout", "--user", "--volume"} | {
    f"-{letter}" for letter in "emuvw"
}
"""Options of `docker run` that a value follows."""
SERVICE = {
    "build", "command", "cpuset", "environment", "image", "init", "mem_limit", "restart", "stop_grace_period", "user",
    "volumes", "ports", "read_only", "tmpfs", "logging",
}  # fmt: skip
"""Keys of a service of compose.yaml (Compose specification) that our documents use."""
FIELD = r"(?:\*|[0-9]+(?:-[0-9]+)?)(?:/[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*|mon|tue|wed|thu|fri|sat|sun"


def check_dockerfile(text: str) -> None:
    """That each instruction is one, and what is copied stands in the repository."""
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip() and not line.startswith("#")]
    assert lines[0].startswith(("FROM ", "ARG "))
    for line in lines:
        instruction, _, rest = line.partition(" ")
        assert instruction in INSTRUCTIONS, line
        if instruction == "COPY" and "--from" not in rest:
            *sources, _ = rest.split()
            assert [source for source in sources if not (ROOT / source).exists()] == []
        if instruction in ("CMD", "ENTRYPOINT"):
            assert all(isinstance(word, str) for word in json.loads(rest)), "a shell in between would take signals"
        if instruction == "RUN":
            assert subprocess.run(["bash", "-n", "-c", rest], check=False).returncode == 0


def commands_in(language: str, text: str) -> list[str]:
    """The commands that a block would have run, as a shell takes them: of a crontab, a unit or a compose.yaml."""
    match language:
        case "crontab":
            return crontab_commands(text)
        case "ini":
            return [command.replace("%i", "shop") for command in re.findall(r"(?m)^ExecStart=/\S+/(crawler .*)$", text)]
        case "yaml" if text.startswith("# compose"):
            return compose_commands(text)
    return []


def compose_commands(text: str) -> list[str]:
    """What the services of a compose.yaml hand to the image's program; their keys are known ones."""
    services = list(yaml.safe_load(text)["services"].values())
    assert {key for service in services for key in service} <= SERVICE
    return [shlex.join(["crawler", *map(str, service["command"])]) for service in services]


def check_unit(path: Path, program: Path) -> None:
    """That systemd takes a unit, `program` in place of the one that is not installed here."""
    text = path.read_text()
    assert re.match(r"# (/etc/systemd/system/[\w@.-]+|\S+)\n", text)
    if (systemd := shutil.which("systemd-analyze")) is None:
        assert {"[Unit]", "[Service]"} <= set(text.split()) or "[Timer]" in text
        return
    folder = path.parent / "units"
    folder.mkdir(exist_ok=True)
    unit = folder / path.name
    unit.write_text(re.sub(r"(?m)^(ExecStart=)\S+", rf"\1{program}", text))
    for named in re.findall(r"(?m)^(?:Unit|OnFailure)=([\w@.-]+)$", text):
        if not (folder / named).exists():
            (folder / named).write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    done = subprocess.run(
        [systemd, "verify", "--man=no", unit], capture_output=True, text=True, timeout=20, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(folder) in line or path.name in line]
    assert done.returncode == 0, done.stderr
    assert said == [], done.stderr


def crontab_commands(text: str) -> list[str]:
    """The commands of a crontab, as cron hands them to the shell; variables are left out."""
    commands = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#") or re.match(r"[A-Z]+=", line):
            continue
        matched = re.fullmatch(rf"(?:@(?:hourly|daily|weekly|monthly|reboot)|(?:(?:{FIELD})\s+){{5}})\s*(\S.*)", line)
        assert matched, f"no line of a crontab: {line}"
        assert not re.search(r"(?<!\\)%", matched[1]), "cron ends a command at a bare %"
        commands.append(re.sub(r"\bcd \S+ && ", "", matched[1].replace(r"\%", "%")))
    return commands


def check_targets(words: list[str]) -> None:
    """That the Makefile has the targets a command names."""
    targets = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text())
    assert {word for word in words if "=" not in word} <= set(targets)


def without_container(command: str) -> str:
    """The `crawler` command that a `docker run` of its image comes to, in the folder that it is given."""
    if not command.startswith("docker run "):
        return command
    words = shlex.split(command.replace("\\\n", " "), comments=True)[2:]
    while words[0].startswith("-"):
        words = words[2 if words[0] in VALUED else 1 :]
    image, *arguments = words
    assert image == "crawler"
    return shlex.join(["crawler", *arguments])
