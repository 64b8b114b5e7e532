"""Are names resolved, certificates checked, and pages crawled? Asks this machine alone, and hosts that are named."""

from __future__ import annotations

import os
import re
import socket
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from crawler.cli import OK
from crawler.cli.finding import Finding
from crawler.errors import CrawlerError
from crawler.wording import delay

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESOLVERS: Final = Path("/etc/resolv.conf")
_WITHIN_S: Final = 10.0
_PORT: Final = 443
_NO_ROOTS: Final = "install the system's certificates (Debian: apt install ca-certificates), or set SSL_CERT_FILE"


def findings(hosts: tuple[str, ...]) -> Iterator[Finding]:
    """What there is to say; `hosts` are looked up, connected to, and their certificates checked."""
    yield _resolver()
    yield _roots()
    yield from (_host(host) for host in hosts)
    yield _own_crawl()


def _resolver() -> Finding:
    try:
        addresses = sorted({str(found[4][0]) for found in socket.getaddrinfo("localhost", None)})
    except OSError as error:
        return Finding(
            "failed", "DNS", f"localhost: {error.strerror}", "add localhost to /etc/hosts: 127.0.0.1 localhost"
        )
    servers = re.findall(r"^\s*nameserver\s+(\S+)", _text(_RESOLVERS), re.MULTILINE)
    found = f"localhost is {', '.join(addresses)}"
    if not servers and _RESOLVERS.exists():
        do = "name one in /etc/resolv.conf, or give hosts their addresses: fetch.resolve"
        return Finding("warning", "DNS", f"{found}; no name server is set", do)
    asked = f"; names are asked of {', '.join(servers)}" if servers else ""
    return Finding("ok", "DNS", found + asked)


def _roots() -> Finding:
    try:
        context = ssl.create_default_context()
    except (OSError, ssl.SSLError) as error:
        return Finding("failed", "TLS", f"{ssl.OPENSSL_VERSION}: {error}", _NO_ROOTS)
    count = context.cert_store_stats()["x509_ca"]
    paths = ssl.get_default_verify_paths()
    where = paths.cafile or paths.capath
    found = f"{ssl.OPENSSL_VERSION}, {count} roots" + (f" of {where}" if where else "")
    wrong = [
        name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if (at := os.environ.get(name)) and not Path(at).exists()
    ]
    if wrong:
        return Finding("failed", "TLS", f"{wrong[0]}={os.environ[wrong[0]]}: no such file", "correct or unset it")
    if count or (paths.capath and any(Path(paths.capath).iterdir())):  # those of a folder are read when asked for
        return Finding("ok", "TLS", found)
    return Finding("failed", "TLS", f"{found}: no certificate can be checked", _NO_ROOTS)


def _host(given: str) -> Finding:
    """A host, by name or by URL: ``example.org``, ``example.org:8443``."""
    try:
        parts = urlsplit(given if "://" in given else f"//{given}")
        name, number = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else _PORT)
    except ValueError as error:
        return Finding("failed", given, f"is no host: {error}", "give a name, such as example.org or example.org:8443")
    start = time.perf_counter()
    try:
        address = socket.getaddrinfo(name, number, type=socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "is no host name"
        return Finding("failed", name, f"does not resolve: {why}", "check the spelling, and /etc/resolv.conf")
    looked_up_s = time.perf_counter() - start
    try:
        with socket.create_connection((str(address), number), timeout=_WITHIN_S) as connection:
            if number == 80 or parts.scheme == "http":
                return Finding("ok", name, f"{address} in {delay(looked_up_s)}, takes connections at port {number}")
            with ssl.create_default_context().wrap_socket(connection, server_hostname=name) as secure:
                found = f"{address} in {delay(looked_up_s)}, {secure.version()}, its certificate is good"
                return Finding("ok", name, found)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        do = "add the root of the host, or of the proxy on the way, to SSL_CERT_FILE; or verify: false in fetch.hosts"
        return Finding("failed", name, f"{address}: TLS: {why}", do)
    except OSError as error:
        why = error.strerror or str(error)
        do = "a firewall, or a proxy that has to be named: fetch.proxy"
        return Finding("failed", name, f"{address}: no connection to port {number}: {why}", do)


def _own_crawl() -> Finding:
    """One page of a server on this machine, through all that a crawl is made of."""
    from crawler.cli.planning import plan_of  # noqa: PLC0415 - what is broken here must not break the rest
    from crawler.cli.running import run_crawl  # noqa: PLC0415
    from crawler.demo.serve import running_shop  # noqa: PLC0415

    settings = (
        "parse.workers=1",
        "scope.max_depth=0",
        "limits.default.delay=0",
        "fetch.timeout=10s",
        "fetch.proxy=null",
    )
    start = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="crawler-doctor-") as folder, running_shop() as url:
            plan = plan_of((f"{url}/about",), None, folder, settings)
            code = run_crawl(plan, fresh=False, quiet=True)
            pages = (Path(folder) / "pages.jsonl").read_bytes().count(b"\n")
            if code != OK or pages != 1:
                ended = (Path(folder) / "outcomes.jsonl").read_text(encoding="utf-8").strip()
                return Finding(
                    "failed", "crawl", f"a page of this machine was not got: {ended}", "see the checks above"
                )
    except (CrawlerError, OSError, RuntimeError) as error:
        return Finding("failed", "crawl", f"a page of this machine: {error}", "see the checks above")
    took = delay(time.perf_counter() - start)
    return Finding(
        "ok", "crawl", f"a page of this machine was fetched, parsed in a process of its own and stored in {took}"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
