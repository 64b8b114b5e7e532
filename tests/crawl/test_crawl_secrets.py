"""No secret is in any file, message or log, whatever goes wrong, and none reaches a server it is not meant for."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import urllib.parse
from contextlib import AsyncExitStack

import pytest

from crawler.cli import run as run_command
from tests.crawl.conftest import COMMAND, environment
from tests.support.faults.certificates import context
from tests.support.proxy import RawProxy
from tests.support.rawserver import RawServer, page

HTML = b"Content-Type: text/html"

#: what each secret is set to; no two share six characters
SECRETS = {
    "FROM_ENV": "Zq7Env+/w=1",
    "COMMON_ENV": "Zq8Common-2",
    "PROXY_ENV": "Zq9Prox:y/3@",
    "DEAD_ENV": "Zq0Dead%4",
    "AUTH_ENV": "Zq1Auth:5\u00fc",
}
WRITTEN = {
    "token": "Yk1Token-6",
    "password": "Yk2Pass:word-7",
    "proxy": "Yk3Proxy-8",
    "cookie": "Yk4Cookie-9",
    "jar": "Yk5Jar-10",
    "authorization": "Yk6Basic-11",
}


def spellings(secret):
    """The ways in which a secret may be written."""
    raw = secret.encode()
    yield from (raw, secret.encode("latin-1", "replace"), repr(secret)[1:-1].encode(), ascii(secret)[1:-1].encode())
    yield from (
        urllib.parse.quote(secret, safe="").encode(),
        urllib.parse.quote_plus(secret).encode(),
        raw.hex().encode(),
    )
    yield secret.encode("unicode_escape")
    for shift in range(
        3
    ):  # base64 of what has it within; its first and last characters depend on what stands beside it
        whole = base64.b64encode(b"x" * shift + raw)
        yield whole[4 if shift else 0 : -4]


def found_in(data):
    return sorted(
        {name for name, secret in {**SECRETS, **WRITTEN}.items() for spelt in spellings(secret) if spelt in data}
    )


def leaks(folder):
    """File -> the secrets in it."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    texts = {name: path.read_bytes() for name, path in files.items()}
    for name, path in files.items():
        if name.endswith(".gz"):
            texts[name] = subprocess.run(["gzip", "-dc", path], capture_output=True, check=False).stdout
    return {name: secrets for name, text in texts.items() if (secrets := found_in(text))}


def test_secrets_would_be_found_in_any_spelling(tmp_path):
    for name, secret in {**SECRETS, **WRITTEN}.items():
        basic = base64.b64encode(f"user:{secret}".encode())
        for text in (secret.encode(), repr(secret).encode(), urllib.parse.quote(secret, safe="").encode(), basic):
            assert found_in(b"..." + text + b"...") == [name], text


PAGE = """<title>all</title><a href=/two>2</a><a href=/missing>3</a><a href=/reset>5</a>
<a href=/away>6</a><a href=/loop>7</a><a href=http://b.test/>8</a><a href=http://proxied.test:{port}/>9</a>
<a href=http://dead.test/>10</a><a href=https://tls.test/>12</a>
<a href=http://u:p@b.test/login>13</a><a href=/to-login>14</a><a href=/crash>15</a>
<a href=http://refused.test/>16</a><a href=/garbage>17</a>"""


async def answer(head, peer):
    path = head.split(b" ", 2)[1].decode()
    port = peer._writer.get_extra_info("sockname")[1]
    links = PAGE.format(port=port) if b"Host: a.test\r\n" in head else "<p>text of a page"
    answers = {
        "/": page(links.encode(), HTML, b"Set-Cookie: theirs=1"),
        "/missing": page(b"no", HTML, status=b"404 Not Found"),
        "/away": page(b"", b"Location: http://b.test/away", status=b"302 Found"),
        "/loop": page(b"", b"Location: /loop", status=b"302 Found"),
        "/to-login": page(b"", b"Location: http://u:p@b.test/redirected", status=b"302 Found"),
        "/garbage": b"HTTP/1.1 abc\r\n\r\n",
        "/robots.txt": page(b"User-agent: *\nDisallow: /private", b"Content-Type: text/plain"),
    }
    if path == "/reset":
        peer.reset()
        return
    await peer.send(answers.get(path, page(b"<p>text of a page", HTML)))


HOOK = """
import os
def things(page):
    if page.url.endswith("crash"):
        raise RuntimeError("the hook fails")
    yield {"a": 1}
"""


def configuration(server, tls, proxy, refusing):
    return f"""
limits: {{default: {{delay: 0}}, adaptive: false}}
breaker: {{failures: null}}
robots: {{obey: false}}
checkpoint: {{every: 20ms, fsync: false}}
scope: {{stay_on: any}}
export: {{warc: true, links: true, files: ["text/*"]}}
extract: {{python: "hook:things", headers: [content-type, set-cookie]}}
fetch:
  user_agent: bot/1 (+https://bot.test/)
  timeout: 3s
  cookies: true
  resolve: {{"tls.test": "127.0.0.1:{tls.port}", "*.test": "127.0.0.1:{server.port}"}}
  headers: {{X-Common: "${{COMMON_ENV}}", X-Api-Key: {WRITTEN["token"]}}}
  hosts:
    a.test:
      auth: "user:{WRITTEN["password"]}"
      headers: {{X-Plain: "v ${{FROM_ENV}}", Cookie: "own={WRITTEN["cookie"]}"}}
      cookies: cookies.txt
    b.test: {{auth: "user:${{AUTH_ENV}}"}}
    tls.test: {{headers: {{Authorization: "Basic {WRITTEN["authorization"]}"}}, verify: false}}
    proxied.test: {{proxy: "http://me:${{PROXY_ENV}}@127.0.0.1:{proxy.port}"}}
    dead.test: {{proxy: "http://me:${{DEAD_ENV}}@127.0.0.1:9"}}
    refused.test: {{proxy: "http://me:{WRITTEN["proxy"]}@127.0.0.1:{refusing.port}"}}
"""


class Stage:
    """Servers, a folder with a configuration full of secrets, and all that commands have said there."""

    def __init__(self, folder):
        self.folder = folder
        self.said = {}
        self._stack = AsyncExitStack()
        #: the heads each server got
        self.server = RawServer(answer)
        self.tls = RawServer(answer, tls=context("good"))
        self.proxy = RawProxy()
        self.refusing = RawProxy()
        self.refusing.refusal = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"

    async def __aenter__(self):
        for server in (self.server, self.tls, self.proxy, self.refusing):
            await self._stack.enter_async_context(server)
        (self.folder / "hook.py").write_text(HOOK)
        (self.folder / "cookies.txt").write_text(f"a.test\tFALSE\t/\tFALSE\t0\tsid\t{WRITTEN['jar']}\n")
        self.config = self.folder / "settings.yaml"
        self.config.write_text(configuration(self.server, self.tls, self.proxy, self.refusing))
        return self

    async def __aexit__(self, *error):
        await self._stack.aclose()

    async def run(self, *arguments, command=COMMAND, **variables):
        """One command; its exit code. None of what it says may hold a secret."""
        environ = {**environment(), **SECRETS, "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "default", **variables}
        environ = {name: value for name, value in environ.items() if value is not None}
        done = await asyncio.to_thread(
            subprocess.run, [*command, *arguments], cwd=self.folder, env=environ, capture_output=True, check=False
        )
        assert found_in(done.stdout + done.stderr) == [], (arguments, done.stdout, done.stderr)
        return done


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_no_secret_is_in_a_file_or_said_whatever_happens(tmp_path, monkeypatch, capfdbinary):
    def run_here(*arguments, code=0):
        """A command that asks no server, without a process of its own."""
        ended = run_command(arguments)
        out, err = capfdbinary.readouterr()
        assert found_in(out + err) == [], (arguments, out, err)
        assert ended == code or code is None, (arguments, err)

    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    monkeypatch.chdir(tmp_path)
    async with Stage(tmp_path) as stage:
        config = ("-c", "settings.yaml")
        seeds = ("http://a.test/", "https://tls.test/")
        brief = ("--set", "budget.time=3s")  # what fails is tried again after some seconds
        done = await stage.run("crawl", *seeds, *config, *brief, "-d", "crawl", "-v")
        assert done.returncode in (0, 4), done.stderr
        for said in ("http_404", "redirect_loop", "proxy: 127.0.0.1:9", "status 407", "reset", "the hook fails"):
            assert said in done.stderr.decode() + (tmp_path / "crawl" / "outcomes.jsonl").read_text(), said
        run_here("why", "crawl", "http://a.test/", "--json")
        for url in ("http://dead.test/", "http://u:p@b.test/"):
            run_here("why", "crawl", url, code=None)
        for name in ("pages", "things"):
            run_here("export", "crawl", name, "--to", f"{name}.jsonl")
        assert (await stage.run("reparse", "crawl", "-d", "again")).returncode == 0
        run_here("check", "settings.yaml", "--host", "a.test", "--host", "dead.test")
        assert (await stage.run("crawl", *seeds, *config, "-d", "dry", "--dry-run")).returncode == 0
        assert (await stage.run("try", "http://a.test/", *config)).returncode == 0
        longer = (*config, "--set", "budget.time=5s")
        retried = await stage.run("crawl", "-d", "crawl", "--retry-failed", "--where", "reason=http_404", "-v", *longer)
        assert retried.returncode in (0, 4), retried.stderr
        # without the file the secrets that are written out are missing
        run_here("crawl", "-d", "crawl", "--retry-failed", "--where", "reason=http_404", code=2)
        monkeypatch.delenv("FROM_ENV")
        run_here("crawl", *seeds, *config, "-d", "none", code=2)
        asked = b"".join(stage.server.heads)
        # the test would prove nothing if they had not been sent
        assert WRITTEN["token"].encode() in asked
        assert SECRETS["FROM_ENV"].encode() in asked
        assert WRITTEN["jar"].encode() in asked
        assert base64.b64encode(f"me:{SECRETS['PROXY_ENV']}".encode()) in b"".join(stage.proxy.heads)
    found = {name: what for name, what in leaks(tmp_path).items() if name not in ("settings.yaml", "cookies.txt")}
    assert found in ({"crawl/crawl.db": ["jar"]}, {})  # a resumed crawl needs them
    assert (tmp_path / "crawl" / "crawl.db").stat().st_mode & 0o077 == 0


BROKEN = """
import sys
from crawler.fetch import http
def broken(*arguments, **named):
    raise RuntimeError("a bug")
http.HttpFetcher._ask = broken
from crawler.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_no_secret_is_in_the_traceback_of_a_bug(tmp_path):
    async with Stage(tmp_path) as stage:
        arguments = ("crawl", "http://a.test/", "http://dead.test/", "-c", "settings.yaml", "-d", "crawl", "-v")
        done = await stage.run(*arguments, command=(sys.executable, "-c", BROKEN))
        assert b"RuntimeError: a bug" in done.stderr
        assert b"Traceback" in done.stderr
    found = {name: what for name, what in leaks(tmp_path).items() if name not in ("settings.yaml", "cookies.txt")}
    assert found in ({"crawl/crawl.db": ["jar"]}, {})


BAD = [
    "fetch: {headers: [SECRET]}",
    "fetch: {headers: SECRET}",
    "fetch: {headers: {Authorization: [SECRET]}}",
    'fetch: {headers: {Authorization: "SECRET\\n"}}',
    "fetch: {headers: {'X Y': SECRET}}",
    "fetch: {hosts: {a.test: {auth: SECRET}}}",
    "fetch: {hosts: {a.test: {auth: {user: SECRET}}}}",
    "fetch: {hosts: {a.test: {auth: [SECRET]}}}",
    "fetch: {hosts: {a.test: {auht: SECRET}}}",
    "fetch: {hosts: {a.test: SECRET}}",
    "fetch: {hosts: {a.test: {proxy: 'http://u:SECRET@'}}}",
    "fetch: {proxy: 'http:/u:SECRET@h'}",
    "fetch: {proxy: 'socks5://u:SECRET@h'}",
    "fetch: {proxy: ['http://u:SECRET@h/path']}",
    "fetch: {proxy: {url: 'http://u:SECRET@h'}}",
    "fetch: {authorization: SECRET}",
    "fetch: {cookies: SECRET}",
    "fetch: {hosts: {a.test: {verify: SECRET}}}",
    "fetch: {headers: {Cookie: 'a=SECRET', cookie: 'b=SECRET'}}",
    "fetch: {headers: {Proxy-Authorization: SECRET}}",
    "seeds: ['http://u:SECRET@a.test/']",
    "fetch: {headers: {X-Token: '${SECRET'}}",
    "fetch: {headers: {X-Token: 'SECRET ${x y}'}}",
]


@pytest.mark.parametrize("text", BAD)
def test_a_mistake_in_a_configuration_is_told_without_the_secret(text, tmp_path, capsys):
    path = tmp_path / "crawl.yaml"
    path.write_text(text.replace("SECRET", WRITTEN["token"]) + "\n")
    code = run_command(["check", str(path)])
    if text.startswith("seeds"):
        code = run_command(["crawl", "-c", str(path), "-d", str(tmp_path / "crawl")])
    said = capsys.readouterr()
    assert found_in((said.out + said.err).encode()) == []
    assert code == 2
    key, _, value = text.replace("SECRET", WRITTEN["token"]).partition(": ")
    assert (
        run_command(["crawl", "a.test", "--set", f"{key}={value}", "-d", str(tmp_path / "crawl")]) == 2
        or key == "seeds"
    )
    assert found_in(capsys.readouterr().err.encode()) == []
