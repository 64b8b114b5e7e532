"""Mistakes of the first days: each is answered with the value that is wrong, where it stands, and what to do."""

from __future__ import annotations

import pytest

from crawler.cli import run
from crawler.cli.seed_advice import seed_remarks
from crawler.config import UrlsConfig

FILES = {
    "seeds.txt": "https://a.test/\n",
    "empty.txt": "# nothing\n",
    "notes.pdf": "%PDF-1.4 binary\nmore of it\n",
    "links.csv": "name,link\na,b\n",
    "tab.yaml": "scope:\n\tmax_depth: 3\n",
    "typo.yaml": "seeds: [a.test]\nscop: {max_depth: 2}\n",
    "list.yaml": "- a.test\n- b.test\n",
    "noseeds.yaml": "name: x\n",
    "missing.yaml": "seeds: [seed.txt]\n",
    "regex.yaml": 'seeds: [a.test]\nscope: {exclude: ["/(?<=a)b/"]}\n',
    "glob.yaml": "seeds: [a.test]\nscope: {exclude: [logout]}\n",
    "twice.yaml": "name: a\nname: b\n",
    "colon.yaml": "name: a: b\n",
    "star.yaml": "scope:\n  exclude: [*/x]\n",
    "escape.yaml": 'scope:\n  exclude: ["/\\d/"]\n',
    "quote.yaml": 'name: "a\n',
    "bracket.yaml": "seeds: [a.test\nname: x\n",
    "indent.yaml": "scope:\n   max_depth: 1\n  stay_on: host\n",
    "limits.yaml": "limits: {delay: 2s}\n",
    "choice.yaml": "scope: {stay_on: domian}\n",
    "unit.yaml": "limits: {default: {delay: 5}}\n",
    "env.yaml": 'seeds: [a.test]\nfetch: {headers: {X: "${NO_SUCH_NAME}"}}\n',
    "css.yaml": '- name: x\n  fields: {title: {css: "h1["}}\n',
    "rule.yaml": "- name: x\n  fields: {title: {csss: h1}}\n",
    "type.yaml": "- name: x\n  fields: {title: {css: h1, type: intt}}\n",
    "agent.yaml": 'fetch: {user_agent: ""}\n',
}
#: arguments -> what is said, in order or not
MISTAKES = {
    ("crwal", "a.test"): ("No such command 'crwal'", "Did you mean crawl?"),
    ("crawl", "--dept", "3", "a.test"): ("No such option '--dept'", "'--depth'"),
    ("completion",): ("Missing argument 'bash|zsh|fish'", "\n    bash,"),
    ("--verion",): ("'--verion'", "'--version'"),
    ("crawl",): ("nothing to crawl", "give a SEED", "-c FILE"),
    ("crawl", "-c"): ("'-c' requires an argument",),
    ("crawl", "-c", "nope.yaml"): ("nope.yaml: No such file", "expected a configuration file"),
    ("crawl", "-c", "."): (".: Is a directory", "expected a configuration file"),
    ("crawl", "seed.txt"): ("'seed.txt' does not exist", "did you mean seeds.txt?"),
    ("crawl", "http//a.test"): ("'http//a.test' does not exist", "for a URL write http://a.test"),
    ("crawl", "crawl.yaml"): ("crawl.yaml is a configuration", "crawler crawl -c crawl.yaml"),
    ("crawl", "me:secret@a.test"): ("argument 1", "fetch.hosts: {HOST: {auth: USER:PASSWORD}}"),
    ("crawl", "links.csv"): ("'links.csv' has no column called url", "its header is 'name,link'", "call the one with"),
    ("crawl", "--max-pages", "ten", "a.test"): ("--max-pages", "ten", "a whole number of at least 1"),
    ("crawl", "--delay", "fast", "a.test"): ("--delay", "fast", "500ms, 2s"),
    ("crawl", "--delay", "5", "a.test"): ("--delay", "5: expected a unit, such as 5s or 5ms"),
    ("crawl", "--depth", "-1", "a.test"): ("--depth", "-1", "at least 0"),
    ("crawl", "--set", "limits.default.dealy=2s", "a.test"): ("--set 1", "limits.default.dealy", "did you mean delay?"),
    ("crawl", "--set", "robots.obey", "a.test"): ("--set 1: robots.obey", "expected KEY=VALUE"),
    ("crawl", "--set", "robots.obey=maybe", "a.test"): ("robots.obey: maybe", "expected true or false"),
    ("crawl", "--set", "scope.exclude=[*/x]", "a.test"): ("scope.exclude: [*/x]", "in quotes"),
    ("crawl", "--set", "limits.hosts.a.test.delay=2s", "a.test"): ('did you mean limits.hosts["a.test"]?',),
    ("crawl", "--resume"): ("nothing to resume", "-d DIR"),
    ("crawl", "--resume", "-d", "nothere"): ("nothere: holds no crawl to go on with", "give a SEED"),
    ("crawl", "--resume", "--fresh", "-d", "x"): ("--fresh", "--resume", "expected one of them"),
    ("crawl", "--where", "reason=dns", "a.test"): ("--where", "--retry-failed", "expected both, or neither"),
    ("crawl", "--retry-failed", "-d", "x", "--where", "reasn=dns", "a.test"): ("'reasn'", "did you mean reason?"),
    ("crawl", "--retry-failed", "-d", "x", "--where", "reason=timeot", "a.test"): ("'timeot'", "did you mean timeout?"),
    ("crawl", "--retry-failed", "-d", "x", "--where", "reason=503", "a.test"): ("'503'", "did you mean http_503?"),
    ("crawl", "-o", "nodir/x.jsonl", "a.test"): ("-o nodir/x.jsonl", "no folder nodir"),
    ("crawl", "-d", "seeds.txt", "a.test"): ("seeds.txt: cannot be used as a crawl directory", "name a folder"),
    ("crawl", "-c", "noseeds.yaml"): ("noseeds.yaml: has no seeds", "seeds: [example.org]"),
    ("crawl", "-c", "missing.yaml"): ("missing.yaml: seeds:", "'seed.txt' does not exist"),
    ("crawl", "-c", "env.yaml"): ("fetch.headers.X", "NO_SUCH_NAME is not set"),
    ("check",): ("Missing argument 'crawl.yaml'", "crawler check --help"),
    ("check", "tab.yaml"): ("tab.yaml:2:1", "a tab cannot indent YAML; use spaces"),
    ("check", "typo.yaml"): ("typo.yaml:2:1: scop: unknown key", "did you mean scope?"),
    ("crawl", "-c", "list.yaml"): ("list.yaml:1:1: a list", "expected keys and values"),
    ("check", "regex.yaml"): ("regex.yaml:2:19: scope.exclude[0]", "RE2"),
    ("check", "glob.yaml"): ("glob.yaml:2:19: scope.exclude[0]", "did you mean *logout*?"),
    ("check", "twice.yaml"): ("twice.yaml:2:1: name", "written twice, first at twice.yaml:1:1"),
    ("check", "colon.yaml"): ("colon.yaml:1:8", "goes in quotes"),
    ("check", "star.yaml"): ("star.yaml:2:14", "put what begins with * in quotes"),
    ("check", "escape.yaml"): ("escape.yaml:2:", "patterns go in single quotes"),
    ("check", "quote.yaml"): ("quote.yaml:", "a quote is not closed"),
    ("check", "bracket.yaml"): ("bracket.yaml:2:", "ends with ]"),
    ("check", "indent.yaml"): ("indent.yaml:3:", "begin in the same column"),
    ("check", "limits.yaml"): ("limits.yaml:1:10: limits.delay", "did you mean limits.default.delay?"),
    ("check", "choice.yaml"): ("choice.yaml:1:18: scope.stay_on: domian", "did you mean domain?"),
    ("check", "unit.yaml"): ("unit.yaml:1:27: limits.default.delay: 5", "5s or 5ms"),
    ("check", "agent.yaml"): ("agent.yaml:1:21: fetch.user_agent", "expected"),
    ("check", "css.yaml"): ("css.yaml:2:", '"h1["', "expected a CSS selector"),
    ("check", "rule.yaml"): ("rule.yaml:2:", "csss: unknown key", "did you mean css?"),
    ("check", "type.yaml"): ("type.yaml:2:", "intt", "did you mean int?"),
    ("check", "noseeds.yaml", "--host", "a b"): ("--host a b", "such as example.org"),
    ("why", "nothere", "a.test"): ("nothere: holds no crawl", "crawl.db"),
    ("try",): ("Missing argument", "crawler try --help"),
    ("try", "nope.html"): ("nope.html: No such file", "expected a page"),
    ("export", "nothere", "pages"): ("nothere: has no files of records", "expected a crawl's directory"),
    ("reparse", "nothere"): ("nothere: no such file or directory", "expected a crawl's directory"),
    ("schema", "confg"): ("'confg' is not one of", "Did you mean config?"),
    ("schema", "items"): ("items:", "name the configuration with -c FILE"),
    ("completion", "zhs"): ("'zhs' is not one of", "Did you mean zsh?"),
    ("init", "."): ("seeds.txt: exists already", "crawler init DIR writes elsewhere"),
    ("init", "new", "--set", "name=x"): ("--set: goes with --from URL",),
    ("init", "new", "--from", "htp://a.test"): ("'htp://a.test' is not http or https", "expected one URL or host"),
    ("init", "new", "--from", "sitemap:a.test"): ("sitemap:a.test", "expected one URL or host"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_enough_mistakes_are_made():
    assert len(MISTAKES) >= 40


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_mistake_is_named_with_its_way_out(folder, capsys, arguments):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    for said in MISTAKES[arguments]:
        assert said in err
    assert "Traceback" not in err
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("empty.txt", "empty.txt: holds no seed; expected a URL or a host a line"),
        ("notes.pdf", "notes.pdf:1: '%PDF-1.4 binary' is neither a URL nor a host"),
        ("htp://a.test", "'htp://a.test' is not http or https but htp (did you mean http://a.test?)"),
        (
            "https:a.test/x",
            "'https:a.test/x' is neither a URL nor a host (did you mean https://a.test/x?)",
        ),
        ("ftp://a.test/", "'ftp://a.test/' is not http or https but ftp (expected a URL such as"),
        (
            "<https://a.test>",
            "'<https://a.test>' is neither a URL nor a host (did you mean https://a",
        ),
        ("https://", "'https://' is not a URL (expected http://… or https://…)"),
        ("a.test b.test", "'a.test b.test' is neither a URL nor a host (each seed is an argument"),
        ("a.test:99999", "'a.test:99999' is neither a URL nor a host (port 99999: expected at most"),
        ("seeds.tx", "seeds.tx: is taken for a host; did you mean the file seeds.txt?"),
    ],
)
def test_what_may_be_meant_is_doubted(folder, item, said):
    [remark] = seed_remarks([item], UrlsConfig())
    assert remark.startswith(said)
    assert list(seed_remarks(["seeds.txt", "a.test", "https://a.test/", "-"], UrlsConfig())) == []


@pytest.mark.slow
def test_a_crawl_begins_with_its_doubts(folder, capfd):
    assert run(["crawl", "empty.txt", "--set", "parse.backend=inline"]) == 3
    assert "empty.txt: holds no seed" in capfd.readouterr().err


def test_windows_line_ends_and_a_byte_order_mark_are_no_mistake(folder, capsys):
    (folder / "bom.txt").write_bytes(b"\xef\xbb\xbf127.0.0.1:1/a\r\n127.0.0.1:1/b\r\n")
    run(["crawl", "bom.txt", "--dry-run", "--set", "robots.obey=false"])
    assert "  https://127.0.0.1:1/a\n  https://127.0.0.1:1/b\n" in capsys.readouterr().out


def test_some_good_seeds_are_enough_to_begin(folder, capsys):
    run(["crawl", "htp://x", "127.0.0.1:1", "--dry-run", "--set", "robots.obey=false"])
    assert "not htp://x (argument 1:" in capsys.readouterr().out
