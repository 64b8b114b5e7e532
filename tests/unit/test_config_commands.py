"""`crawler check`, `crawler schema` and `crawler init`, through the command line's own exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from crawler.cli import run
from crawler.config import CrawlConfig
from crawler.config.file import load, loads
from crawler.config.values import all_keys

EXAMPLES = Path(__file__).parents[2] / "config"
TEMPLATES = Path(__file__).parents[2] / "crawler" / "cli" / "templates"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "crawl.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


class TestCheck:
    def test_prints_the_effective_configuration_as_yaml(self, written, capsys):
        assert run(["check", written("limits: {default: {delay: 2s}}"), "--set", "name=x"]) == 0
        config = loads(capsys.readouterr().out, "stdout").config
        assert (config.name, config.limits.default.delay_s) == ("x", 2)

    def test_reports_every_mistake_and_exits_2(self, written, capsys):
        assert run(["check", written("nmae: x\nbudget: {pages: 0}")]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "crawl.yaml:1:1: nmae" in err
        assert "crawl.yaml:2:17: budget.pages" in err

    def test_says_how_much_memory_may_be_overshot(self, written, capsys):
        run(["check", written("limits: {concurrency: 8}\nfetch: {max_body: 2MiB}")])
        assert "8 x 2MiB = 16MiB more" in capsys.readouterr().err

    @pytest.mark.parametrize(("backend", "warned"), [("process", False), ("thread", True), ("inline", True)])
    def test_says_which_backends_contain_nothing(self, written, capsys, backend, warned):
        run(["check", written(f"parse: {{backend: {backend}}}")])
        assert ("does not contain crashes" in capsys.readouterr().err) is warned

    def test_explains_the_limits_of_a_host_however_it_is_spelt(self, written, capsys):
        path = written('limits: {hosts: {"a.org:8080": {delay: 7s}}}')
        assert run(["check", path, "--host", "A.org:8080", "--host", "http://a.org:8080/x"]) == 0
        err = capsys.readouterr().err
        assert err.count("a.org:8080:\n") == 2
        assert "7s" in err

    def test_explains_every_limit_of_a_host(self, written, capsys):
        assert run(["check", written("{}"), "--host", "a.org"]) == 0
        err = capsys.readouterr().err
        assert err[err.index("a.org:\n") :].splitlines()[1:] == [
            "  delay 1s, from limits.default.delay",
            "  concurrency 1, from limits.default.concurrency",
            "  jitter 0s, from limits.default.jitter",
            "  at its address 8 at once, all hosts there together, from limits.per_address.concurrency",
            "  slower where it is failing or slow (a pause of 2 answer times), up to 1m, from limits.adaptive",
            "  slower for a Crawl-delay of its robots.txt, up to 1m, from robots.max_crawl_delay",
            "  rests 5m after 10 failures in a row, from breaker; given up if it then fails once more",
            "  any number of pages, from budget.pages_per_host: null",
        ]

    def test_explains_limits_that_are_turned_off(self, written, capsys):
        text = "{robots: {obey: false}, breaker: {failures: null}, budget: {pages_per_host: 2000}}"
        run(["check", written(text), "--host", "a.org"])
        err = capsys.readouterr().err
        assert "  whatever its robots.txt says, from robots.obey: false\n" in err
        assert "  never given up for failing, from breaker.failures: null\n" in err
        assert "  at most 2,000 pages, from budget.pages_per_host\n" in err
        run(["check", written("robots: {max_crawl_delay: 0}"), "--host", "a.org"])
        assert "  slower for no Crawl-delay of its robots.txt" in capsys.readouterr().err

    def test_tells_whether_links_may_lead_to_an_address(self, written, capsys):
        text = "fetch: {allow_addresses: [10.0.0.0/8]}"
        for host, told in {
            "0x7f.1": "  asked only where a seed names it, as it is loopback and not in fetch.allow_addresses\n",
            "http://10.1.2.3:81/": "  asked wherever it is found, though it is private, from fetch.allow_addresses\n",
        }.items():
            run(["check", written(text), "--host", host])
            assert told in capsys.readouterr().err
        run(["check", written(text), "--host", "9.9.9.9", "--host", "a.org"])
        assert "  asked " not in capsys.readouterr().err

    def test_bad_networks_are_told_with_their_place(self, written, capsys):
        assert run(["check", written('fetch:\n  allow_addresses: ["::1", 10.0.0.1/8]\n')]) == 2
        told = (
            'crawl.yaml:2:28: fetch.allow_addresses[1]: "10.0.0.1/8": expected the first address of the network, which'
        )
        assert told in capsys.readouterr().err

    def test_tells_what_is_sent_to_a_host_by_name_and_never_by_value(self, written, capsys):
        text = (
            "fetch: {hosts: {"
            "'*.org': {headers: {X-Key: sesame, X-More: y}, auth: 'me:open', cookies: jar.txt},"
            "a.org: {headers: {x-key: sesame}, auth: 'me:open', verify: false, proxy: 'http://me:open@127.0.0.1:1'},"
            "b.org: {auth: 'me:open'}}}"
        )
        assert run(["check", written(text), "--host", "a.org"]) == 0
        err = capsys.readouterr().err
        assert '  fetch.hosts["a.org"]: header x-key, user and password, verify: false, a proxy\n' in err
        assert '  fetch.hosts["*.org"]: header X-More, cookies of a file\n' in err
        assert "b.org" not in err
        assert not any(secret in err for secret in ("sesame", "open"))

    @pytest.mark.parametrize(
        ("text", "remark"),
        [
            ("fetch: {allow_addresses: [0.0.0.0/0]}", "fetch.allow_addresses: 0.0.0.0/0 lets every page have this"),
            (
                "fetch: {headers: {X-Plain: '${A}', Accept-Language: de, X-Token: b}}",
                "warning: fetch.headers: X-Plain, X-Token is sent to every host",
            ),
            ("robots: {obey: false}", "robots.obey: false asks hosts for more than they allow"),
            ("limits: {default: {delay: 0, concurrency: 4}}", "limits.default.delay: 0s asks every host"),
            ("breaker: {failures: null}", "breaker.failures: null asks a host that is down"),
        ],
    )
    def test_remarks_on_what_is_less_polite_than_it_could_be(self, written, capsys, text, remark):
        run(["check", written(text)])
        assert remark in capsys.readouterr().err
        run(["check", written("{}")])
        assert remark not in capsys.readouterr().err

    def test_refuses_what_is_no_host(self, written, capsys):
        assert run(["check", written(""), "--host", "a b"]) == 2
        assert "--host a b: expected a host or URL" in capsys.readouterr().err

    def test_says_that_an_ipv6_address_stands_in_brackets(self, written, capsys):
        assert run(["check", written(""), "--host", "::1"]) == 2
        assert (
            "--host ::1: expected a host or URL, such as example.org (did you mean [::1]?)" in capsys.readouterr().err
        )
        assert run(["check", written(""), "--host", "[::1]"]) == 0

    def test_says_which_pace_applies_where_only_a_part_of_it_is_written(self, written, capsys):
        assert run(["check", written("limits: {default: {concurrency: 2}}")]) == 0
        assert "    delay: 1s\n    rate: null\n    concurrency: 2\n" in capsys.readouterr().out

    @pytest.mark.parametrize(("agent", "warned"), [(None, True), ("bot/1 (+https://a.org/)", False)])
    def test_asks_for_a_contact_in_the_user_agent(self, written, capsys, agent, warned):
        run(["check", written(f"fetch: {{user_agent: {agent}}}" if agent else "")])
        assert ("names no contact" in capsys.readouterr().err) is warned

    def test_prints_no_secret_and_says_what_a_crawl_would_lack(self, written, capsys, monkeypatch, tmp_path):
        monkeypatch.delenv("NOPE", raising=False)
        hosts = "{a.test: {auth: 'u:hush', cookies: none.txt}, b.test: {auth: 'u:<left out>'}}"
        assert run(["check", written(f"fetch: {{headers: {{X-Token: '${{NOPE}}'}}, hosts: {hosts}}}")]) == 0
        out, err = capsys.readouterr()
        assert "hush" not in out + err
        assert "X-Token: ${NOPE}" in out
        assert "auth: <left out>" in out
        assert (
            "fetch.headers.X-Token: ${NOPE}: the environment variable NOPE is not set; a crawl would not begin" in err
        )
        assert 'fetch.hosts["b.test"].auth: the secret that stood here is not stored' in err
        assert f"{tmp_path / 'none.txt'}: No such file or directory" in err

    def test_says_nothing_of_secrets_where_none_are_missing(self, written, capsys, monkeypatch):
        monkeypatch.setenv("HERE", "hush")
        assert run(["check", written("fetch: {headers: {X-Token: '${HERE}'}}")]) == 0
        out, err = capsys.readouterr()
        assert "hush" not in out + err
        assert "left out" not in out + err
        assert "would not begin" not in err

    @pytest.mark.slow
    def test_a_function_of_ones_own_is_tried(self, written, tmp_path, capsys):
        path = written("extract: {python: 'mine:f'}")
        assert run(["check", path]) == 2
        assert f"extract.python: {tmp_path}/mine:f: No module named 'mine'" in capsys.readouterr().err
        (tmp_path / "mine.py").write_text("def f(page): ...")
        assert run(["check", path]) == 0


class TestSchema:
    @pytest.mark.parametrize("kind", ["config", "pages", "outcomes", "links", "sitemaps", "seeds", "files", "rejects"])
    def test_is_json_with_a_version(self, kind, capsys):
        assert run(["schema", kind]) == 0
        assert json.loads(capsys.readouterr().out)["$id"] == f"urn:crawler:schema:{kind}:1"

    def test_of_anything_else_is_a_usage_error(self, capsys):
        assert run(["schema", "robots"]) == 2
        assert "pages" in capsys.readouterr().err


class TestInit:
    def test_writes_what_check_accepts_and_says_what_to_do_next(self, tmp_path, capsys):
        assert run(["init", str(tmp_path / "new" / "folder")]) == 0
        assert "crawler crawl -c" in capsys.readouterr().out
        assert run(["check", str(tmp_path / "new" / "folder" / "crawl.yaml")]) == 0

    @pytest.mark.parametrize("name", ["crawl.yaml", "seeds.txt"])
    def test_never_overwrites(self, tmp_path, capsys, name):
        (tmp_path / name).write_text("mine")
        assert run(["init", str(tmp_path)]) == 2
        told = capsys.readouterr().err
        assert f"{name}: exists already, and is left as it is; crawler init DIR writes elsewhere" in told
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]

    def test_names_its_files_as_a_shell_takes_them(self, tmp_path, capsys):
        assert run(["init", str(tmp_path / "my shop")]) == 0
        assert f"crawler check '{tmp_path}/my shop/crawl.yaml'" in capsys.readouterr().out

    def test_a_folder_that_cannot_be_made_is_a_usage_error(self, tmp_path, capsys):
        (tmp_path / "file").write_text("")
        assert run(["init", str(tmp_path / "file" / "below")]) == 2
        assert "expected a folder" in capsys.readouterr().err


class TestExamples:
    @pytest.mark.parametrize("name", ["crawl.yaml", "seeds.txt"])
    def test_are_what_init_writes(self, name):
        assert (EXAMPLES / name).read_bytes() == (TEMPLATES / name).read_bytes()

    def test_show_every_key_with_its_default(self):
        text = (EXAMPLES / "crawl.yaml").read_text(encoding="utf-8")
        config = load(EXAMPLES / "crawl.yaml").config
        assert config == msgspec.structs.replace(CrawlConfig(), seeds=("seeds.txt",))
        shown = [line.split(":")[0].strip() for line in text.splitlines() if not line.lstrip().startswith("#")]
        expected = [key.rpartition(".")[2] for key in all_keys() if key != "limits.default.rate"]
        assert [name for name in shown if name] == expected

    def test_show_only_alternatives_that_are_right(self):
        text = (EXAMPLES / "crawl.yaml").read_text(encoding="utf-8")
        for empty in ("hosts: {}", "rules: []"):
            text = text.replace(empty, empty.partition(" ")[0])
        config = loads(text.replace("\n  #  ", "\n     "), "examples").config
        (rule,) = config.extract.rules
        assert (rule.name, list(rule.fields), rule.unique) == ("products", ["name", "price", "sku"], ("sku",))
        assert (len(config.limits.hosts), len(config.fetch.hosts)) == (2, 3)
