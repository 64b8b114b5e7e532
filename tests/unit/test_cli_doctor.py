"""`crawler doctor`: what works is said to, and what does not is named, with what to do."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.cli import doctor_machine, doctor_network, doctor_packages, run
from crawler.cli.doctor_machine import file_system
from crawler.cli.doctor_packages import satisfies

ROOT = Path(__file__).parents[2]
MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv nfs4 rw 0 0
/dev/sdb1 /srv/my\\040disk xfs rw 0 0
"""


@pytest.fixture
def quick(monkeypatch):
    """Without the crawl of its own, which takes a second."""
    monkeypatch.setattr(doctor_network, "_own_crawl", lambda: doctor_network.Finding("ok", "crawl", "not now"))


@pytest.fixture
def found(quick, capsys, tmp_path):
    """Exit code and findings by check, whatever else is given."""

    def check(*arguments):
        code = run(["doctor", "--json", "-d", str(tmp_path), *arguments])
        return code, {each["check"]: each for each in json.loads(capsys.readouterr().out)}

    return check


@pytest.mark.slow
def test_this_installation_is_fit_and_one_page_goes_all_the_way(tmp_path, capsys):
    assert run(["doctor", "-d", str(tmp_path / "data")]) == 0
    out = capsys.readouterr().out
    assert re.search(
        r"^ok +crawl +a page of this machine was fetched, parsed in a process of its own", out, re.MULTILINE
    )
    assert out.splitlines()[-1].startswith("Ready to crawl")
    assert all(len(line) <= 100 for line in out.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_asked_unless_a_host_is_named(found, monkeypatch):
    asked = []
    monkeypatch.setattr(socket, "create_connection", lambda *where, **_: asked.append(where))
    looked_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *more, **_: asked.append(name) or looked_up(name, *more))
    found()
    assert asked == ["localhost"]


def test_every_check_is_in_the_table_and_every_problem_has_something_to_do(found):
    code, checks = found()
    assert code == 0
    names = {"Python", "packages", "compiled", "SQLite", "open files", "processors", "memory", "temporary", "data"}
    assert names | {"clock", "terminal", "DNS", "TLS", "crawl"} <= set(checks)
    assert all(each["do"] for each in checks.values() if each["state"] != "ok")


def test_a_compiled_part_that_does_not_work_fails(found, monkeypatch):
    def broken():
        raise ImportError("undefined symbol: x")

    monkeypatch.setitem(doctor_packages._PROBES, "uvloop", broken)
    monkeypatch.setitem(doctor_packages._PROBES, "brotli", lambda: False)
    code, checks = found()
    assert code == 1
    assert checks["uvloop"]["found"] == "ImportError: undefined symbol: x"
    assert checks["brotli"]["found"] == "gives a wrong result"
    assert checks["uvloop"]["do"] == "pip install --force-reinstall --no-cache-dir uvloop"


def test_a_package_that_is_missing_or_too_old_is_named_with_the_command_to_get_it(found, monkeypatch):
    lines = ["no-such-thing>=1.2", "click>=1000", 'other>=1; extra == "fast"', 'gone>=1; python_version < "3.0"']
    monkeypatch.setattr(doctor_packages.metadata, "requires", lambda _: lines)
    code, checks = found()
    assert code == 1
    assert checks["no-such-thing"]["do"] == "pip install 'no-such-thing>=1.2'"
    assert "where >=1000 is needed" in checks["click"]["found"]
    assert "gone" not in checks


def test_an_extra_that_is_missing_is_no_problem(found, monkeypatch):
    monkeypatch.setattr(doctor_packages.metadata, "requires", lambda _: ['no-such-thing>=1; extra == "fast"'])
    monkeypatch.setattr(
        doctor_packages.metadata, "metadata", lambda _: type("", (), {"get_all": lambda *_: ["fast"]})()
    )
    code, checks = found()
    assert (code, checks["extra fast"]["state"]) == (0, "ok")
    assert "pip install 'crawler[fast]'" in checks["extra fast"]["do"]


@pytest.mark.parametrize(
    ("limit", "state"), [(100_000, "ok"), (400, "warning"), (64, "failed"), (resource.RLIM_INFINITY, "ok")]
)
def test_open_files_are_held_against_what_a_crawl_takes(monkeypatch, limit, state):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, limit))
    assert doctor_machine._open_files().state == state


def test_a_container_that_gets_less_time_than_it_has_cores_is_told(monkeypatch, tmp_path):
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1048576\n")
    monkeypatch.setattr(doctor_machine, "_CGROUP", tmp_path)
    processors, memory = doctor_machine._processors(), doctor_machine._memory()
    assert (processors.state, memory.state) == ("warning", "warning")
    assert "parse.workers to 1" in processors.do
    assert "1.0 MiB of the container" in memory.found


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "ext4"), ("/srv", "nfs4"), ("/srv/x", "nfs4"), ("/srv/my disk/x", "xfs"), ("/srvx", "ext4")],
)
def test_file_system_is_that_of_the_nearest_mount(path, kind):
    assert file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_warned_of(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor_machine, "file_system", lambda _: "nfs4")
    finding = doctor_machine._disk("data", tmp_path / "new", is_data=True)
    assert finding.state == "warning"
    assert "local disk" in finding.do


def test_a_folder_that_cannot_be_written_fails(found, tmp_path):
    (tmp_path / "file").write_text("")
    code, checks = found("-d", str(tmp_path / "file" / "below"))
    assert (code, checks["data"]["state"]) == (1, "failed")
    assert "-d DIR" in checks["data"]["do"]


def test_missing_roots_fail(found, monkeypatch, tmp_path):
    (tmp_path / "none.pem").write_text("")
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    code, checks = found()
    assert (code, checks["TLS"]["state"]) == (1, "failed")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    assert "gone.pem: no such file" in found()[1]["TLS"]["found"]


def test_a_clock_before_this_program_fails(monkeypatch):
    monkeypatch.setattr(doctor_machine, "_BUILT", 1e11)
    assert doctor_machine._clock().state == "failed"


def test_a_terminal_of_few_letters_is_warned_of(monkeypatch):
    monkeypatch.setattr(sys, "stdout", type("", (), {"encoding": "ascii", "isatty": lambda _: True})())
    assert "UTF-8 locale" in doctor_machine._terminal().do


def test_hosts_are_looked_up_and_connected_to(found):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code, checks = found("--host", f"http://localhost:{port}")
        assert (code, checks["localhost"]["state"]) == (0, "ok")
    code, checks = found("--host", f"localhost:{port}", "--host", "nowhere.invalid", "--host", "a..b", "--host", "x:y")
    assert code == 1
    assert "no connection to port" in checks["localhost"]["found"]
    assert "does not resolve" in checks["nowhere.invalid"]["found"]
    assert "does not resolve" in checks["a..b"]["found"]
    assert "is no host" in checks["x:y"]["found"]


def test_a_host_may_be_an_address_of_ipv6(found):
    _, checks = found("--host", "[::1]:1")
    assert "connection to port 1" in checks["::1"]["found"]


def test_a_host_that_fails_does_not_make_the_machine_unfit(quick, tmp_path, capsys):
    assert run(["doctor", "-d", str(tmp_path), "--host", "nowhere.invalid"]) == 1
    assert capsys.readouterr().out.endswith("\n1 check failed, though a page of this machine was crawled.\n")


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["uvloop", "psutil", "msgspec", "yaml"])
def test_what_is_missing_does_not_end_the_doctor(tmp_path, missing):
    program = f"""
import sys
sys.modules[{missing!r}] = None
from crawler.cli import main
main(["doctor", "-d", {str(tmp_path)!r}])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(rf"^failed .*{missing}", done.stdout, re.MULTILINE | re.IGNORECASE)
    assert "check" in done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_crawl_that_lacks_a_package_sends_its_user_to_the_doctor(tmp_path):
    program = """
import sys
sys.modules["uvloop"] = None
from crawler.cli import main
main(["crawl", "a.test"])
"""
    where = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, **where)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(r"^crawler: .*uvloop.*: .*crawler doctor says what to do$", done.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("version", "wanted", "is_so"),
    [
        ("3.14.5", ">=3.14,<3.15", True),
        ("3.15", ">=3.14,<3.15", False),
        ("3.9", ">=3.14", False),
        ("2.0", "<2", False),
        ("1.99.1", ">=1.0,<2", True),
        ("1.1.20251105", ">=1.1", True),
        ("1.0", "", True),
        ("4.0.0+local.7", "==4.0", True),
    ],
)
def test_versions_are_compared_by_number(version, wanted, is_so):
    assert satisfies(version, wanted) is is_so
