from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from crawler.config import CrawlConfig, Pace
from crawler.config.file import ConfigMistakesError, dump, load, loads
from crawler.config.values import all_keys
from crawler.errors import ConfigError
from crawler.units import Duration, Size


def config_of(text, *overrides):
    return loads(text, "c.yaml", overrides).config


def mistakes_in(text, *overrides):
    with pytest.raises(ConfigMistakesError) as caught:
        loads(text, "c.yaml", overrides)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n", "---\n...\n", "{}", "~", "scope:\nlimits:\n  hosts:\n"])
def test_what_is_not_said_has_its_default(text):
    assert config_of(text) == CrawlConfig()


def test_values_are_read_under_their_written_keys():
    config = config_of("limits: {memory: 1GiB, default: {delay: 250ms}}\nparse: {workers: 4}\nseeds: [a.org, 'b.org']")
    assert config.limits.memory_bytes == Size(1024**3)
    assert config.limits.default == Pace(delay_s=Duration(0.25))
    assert config.parse.workers == 4
    assert config.seeds == ("a.org", "b.org")


def test_every_mistake_is_reported_at_once_in_the_order_of_the_file():
    text = "scope: {stay_on: hosts}\nlimits:\n  default: {delay: 2, rat: 1/s}\nfetch: {timeout: 0}\n"
    assert mistakes_in(text, "budget.pages=0") == [
        "c.yaml:1:18: scope.stay_on: hosts: expected one of host, domain, any (did you mean host?)",
        "c.yaml:3:20: limits.default.delay: 2: expected a unit, such as 2s or 2ms",
        "c.yaml:3:23: limits.default.rat: unknown key (did you mean rate?)",
        "c.yaml:4:18: fetch.timeout: 0s: expected more than 0",
        "--set 1: budget.pages: 0: expected a whole number of at least 1 or null",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("nmae: x", "c.yaml:1:1: nmae: unknown key (did you mean name?)"),
        ("max_depth: 3", "c.yaml:1:1: max_depth: unknown key (did you mean scope.max_depth?)"),
        (
            "budget: {zzz: 1}",
            "c.yaml:1:10: budget.zzz: unknown key, expected one of pages",
        ),
        ("budget: 5", "c.yaml:1:9: budget: 5: expected keys and values, such as name: value"),
        ("seeds: https://a.org/", "c.yaml:1:8: seeds: https://a.org/: expected a list, such as [https://a.org/]"),
        ("seeds: 'a, b: c'", 'seeds: "a, b: c": expected a list, such as ["a, b: c"]'),
        ("seeds: {a: b}", "seeds: a map: expected a list, such as [one, two]"),
        ("name: null", "c.yaml:1:7: name: null: expected text; leave the key out for the default"),
        ("name:", "name: nothing: expected text; leave the key out for the default"),
        (
            "limits: {hosts: {x: {org: {delay: 2s}}}}",
            """limits.hosts.x.org: unknown key (did you mean limits.hosts["x.org"]?)""",
        ),
        ("fetch: {headers: {X Y: z}}", """c.yaml:1:19: fetch.headers["X Y"]: "X Y": expected a header name"""),
        ("fetch: {headers: {X-Y: 'z '}}", """fetch.headers.X-Y: "z ": expected printable ASCII"""),
        ("seeds: [[a]]", "c.yaml:1:9: seeds[0]: a list: expected text"),
        ("seeds: [a, ~]", 'c.yaml:1:12: seeds[1]: ~: expected text (did you mean "~"?)'),
        ("limits: {hosts: [a]}", "c.yaml:1:17: limits.hosts: a list: expected a map, such as {name: value}"),
        ("limits: {concurrency: 1.5}", "c.yaml:1:23: limits.concurrency: 1.5: expected a whole number of at least 1"),
        (
            "limits: {concurrency: 1_000}",
            "limits.concurrency: 1_000: expected a whole number of at least 1 (did you mean 1000?)",
        ),
        ('limits: {concurrency: "5"}', 'limits.concurrency: "5": expected a whole number of at least 1'),
        (
            "limits: {memory: null}",
            "limits.memory: null: expected a size such as 512, 64KiB, 10MiB or 1GB; leave the key out for the default",
        ),
        ("limits: {memory: 600MX}", "limits.memory: 600MX: expected a size in TiB"),
        ("parse: {workers: many}", "parse.workers: many: expected a whole number of at least 1 or auto"),
        ("parse: {backend: proces}", "expected one of process, thread, inline (did you mean process?)"),
        ("robots: {obey: tru}", "robots.obey: tru: expected true or false"),
        (
            "robots: {skip_rel: [nofolow]}",
            "robots.skip_rel[0]: nofolow: expected one of nofollow, ugc, sponsored (did you mean nofollow?)",
        ),
        ("limits: {adaptive: 3}", "limits.adaptive: 3: expected true or false or a map of factor and max_delay"),
        ("limits: {adaptive: {fctor: 1}}", "limits.adaptive.fctor: unknown key (did you mean factor?)"),
        ("limits: {per_address: {concurrency: 0}}", "limits.per_address.concurrency: 0: expected a whole number of"),
        ("limits: {hosts: {a.org: {jitter: 5}}}", 'limits.hosts["a.org"].jitter: 5: expected a unit'),
        ("breaker: {failures: 0}", "breaker.failures: 0: expected a whole number of at least 1 or null"),
        ("budget: {bytes: 1.5}", "budget.bytes: 1.5: expected a whole number of bytes"),
        ("fetch: {proxy: {}}", "fetch.proxy: a map: expected text or a list or null"),
        (
            "fetch: {hosts: {a: {org: {headers: {X-A: b}}}}}",
            """fetch.hosts.a.org: unknown key (did you mean fetch.hosts["a.org"]?)""",
        ),
        ("- a\n- b", "c.yaml:1:1: a list: expected keys and values"),
        ("just text", "c.yaml:1:1: just text: expected keys and values"),
    ],
)
def test_a_mistake_names_place_key_value_and_what_was_expected(text, mistake):
    [found] = mistakes_in(text)
    assert mistake in found


@pytest.mark.parametrize("text", ["no", "on", "y", "12:30", "012", "1e3", "2024-01-01", "0x1f", "1_000", "true", "3.0"])
def test_text_is_taken_as_written_whatever_yaml_1_1_makes_of_it(text):
    config = config_of(
        f"fetch: {{headers: {{X-A: {text}}}}}\nlimits: {{hosts: {{{text.replace(':', '-')}.test: {{}}}}}}"
    )
    assert config.fetch.headers == {"X-A": text}


def test_a_host_called_no_is_a_host():
    assert list(config_of("limits: {hosts: {no: {delay: 2s}, on: {}}}").limits.hosts) == ["no", "on"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "robots: {obey: no}",
            "no: expected true or false; YAML 1.1 and 1.2 read no differently (did you mean false?)",
        ),
        ("robots: {obey: On}", "On: expected true or false; YAML 1.1 and 1.2 read On differently (did you mean true?)"),
        ('robots: {obey: "true"}', '"true": expected true or false (did you mean true?)'),
        ("limits: {concurrency: 012}", "at least 1; YAML 1.1 and 1.2 read 012 differently (did you mean 12?)"),
        ("checkpoint: {every: 12:30}", "12:30: expected a duration such as"),
        ("budget: {pages: 1e3}", "1e3: expected a whole number"),
    ],
)
def test_what_yaml_versions_read_differently_is_refused_where_it_matters(text, mistake):
    [found] = mistakes_in(text)
    assert mistake in found


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("name: [a", "not YAML: did not find expected ',' or ']' while parsing a flow sequence"),
        ("scope:\n\tmax_depth: 1", "c.yaml:2:1: not YAML: a tab cannot indent YAML; use spaces"),
        ("name: a\n---\nname: b", "c.yaml:2:1: expected one YAML document, found another"),
        ("name: a\nname: b", "c.yaml:2:1: name: written twice, first at c.yaml:1:1"),
        ("limits:\n  hosts:\n    a.org: {}\n    a.org: {}", 'c.yaml:4:5: limits.hosts["a.org"]: written twice'),
        ("x: &a {delay: 1s}\nlimits: {default: {<<: *a}}", "limits.default"),
        ("name: !!python/object:os.system x", "c.yaml:1:7: name: tags such as tag:yaml.org,2002:python/object"),
        ("name: !secret x", "c.yaml:1:7: name: tags such as !secret are not supported"),
        ("? [a]\n: b", "c.yaml:1:3: expected a plain key"),
        ("name: *a", "c.yaml:1:7: *a has no anchor &a that ends before it"),
        ("limits: &a {hosts: *a}", "c.yaml:1:20: *a has no anchor &a that ends before it"),
        ("name: a\x00b", "c.yaml:1:8: not YAML: control characters are not allowed"),
        ("seeds: " + "[" * 100_000, "expected at most 20 levels of nesting"),
        ("seeds: [&a x" + ", *a" * 1001 + "]", "expected at most 1000 aliases"),
    ],
)
def test_what_is_no_plain_yaml_document_is_refused_with_its_place(text, mistake):
    assert any(mistake in found for found in mistakes_in(text))


def test_merge_keys_are_refused_by_name():
    assert "merge keys are not supported" in mistakes_in("limits: {default: {<<: {delay: 1s}}}")[0]


def test_an_alias_stands_for_what_its_anchor_holds():
    limits = config_of('limits:\n  hosts:\n    "*.a.org": &slow {delay: 9s}\n    b.org: *slow').limits
    assert limits.hosts["b.org"] == limits.hosts["*.a.org"] == Pace(delay_s=Duration(9))


def test_an_alias_bomb_costs_nothing():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
    ]
    lines.append("seeds: *l")
    [mistake] = mistakes_in("\n".join(lines))
    assert mistake == "c.yaml:5:12: expected aliases that stand for at most 20,000 values in all"


class TestOverrides:
    def test_a_dotted_key_sets_one_value_and_keeps_the_rest(self):
        config = config_of("limits: {default: {concurrency: 3}}", "limits.default.delay=2s", "name=no")
        assert config.limits.default == Pace(delay_s=Duration(2), concurrency=3)
        assert config.name == "no"

    @pytest.mark.parametrize("quote", ['"', "'"])
    def test_a_name_with_dots_stands_in_brackets(self, quote):
        config = config_of("", f"limits.hosts[{quote}*.a.org{quote}].delay=2s", "fetch.headers.Accept-Language=de=1")
        assert config.limits.hosts == {"*.a.org": Pace(delay_s=Duration(2))}
        assert config.fetch.headers == {"Accept-Language": "de=1"}

    def test_the_value_is_yaml(self):
        assert config_of("", "seeds=[a.org, b.org]").seeds == ("a.org", "b.org")
        assert config_of("budget: {pages: 5}", "budget.pages=").budget.pages is None

    def test_the_last_of_several_wins(self):
        assert config_of("name: a", "name=b", "name=c").name == "c"

    def test_an_aliased_section_is_changed_in_one_place_only(self):
        hosts = config_of("limits: {hosts: {a: &p {delay: 1s}, b: *p}}", "limits.hosts.b.delay=2s").limits.hosts
        assert (hosts["a"].delay_s, hosts["b"].delay_s) == (1, 2)

    @pytest.mark.parametrize(
        ("override", "mistake"),
        [
            ("name", "--set 1: name: expected KEY=VALUE"),
            ("=x", "--set 1: =x: expected KEY=VALUE"),
            ("limits.hosts.*.a.org.delay=2s", 'goes in brackets: limits.hosts["*.example.org"].delay=2s'),
            ("limits.defalt.delay=2s", "--set 1: limits.defalt: unknown key (did you mean default?)"),
            ("limits.hosts.www.x.org.delay=2s", '(did you mean limits.hosts["www.x.org"]?)'),
            ("limits.hosts.x.delya=2s", "limits.hosts.x.delya: unknown key (did you mean delay?)"),
            ("limits.default.delay=2", "--set 1: limits.default.delay: 2: expected a unit"),
            ("name=[", "--set 1: name: [: not YAML"),
            ("name=\udcff", "--set 1: name: \udcff: expected UTF-8"),
            ('limits.hosts["a..b"].delay=1s', '--set 1: limits.hosts["a..b"]: "a..b": expected a host'),
        ],
    )
    def test_a_mistake_names_the_override(self, override, mistake):
        assert mistake in mistakes_in("", override)[0]

    def test_an_option_that_stands_for_an_override_is_named_instead_of_a_number(self):
        assert mistakes_in(
            "", ("--delay", "limits.default.delay=abc"), "budget.pages=0", ("--depth", "scope.max_depth=-1")
        ) == [
            "--delay: limits.default.delay: abc: expected a duration such as 500ms, 2s, 5m, 1h or 1d",
            "--depth: scope.max_depth: -1: expected a whole number of at least 0 or null",
            "--set 1: budget.pages: 0: expected a whole number of at least 1 or null",
        ]

    @pytest.mark.parametrize("value", ["", " ", "# 5"])
    @pytest.mark.parametrize("key", ["limits.default.delay", "budget.pages", "scope.max_depth"])
    def test_an_option_without_a_value_is_a_mistake(self, key, value):
        [mistake] = mistakes_in("", ("--option", f"{key}={value}"))
        assert mistake.startswith(f'--option: {key}: "": expected ')


class TestFiles:
    def test_a_file_is_read_with_its_folder_and_text(self, tmp_path):
        path = tmp_path / "crawl.yaml"
        path.write_bytes(b"\xef\xbb\xbfname: x\r\n")
        loaded = load(path, ["budget.pages=3"])
        assert (loaded.config.name, loaded.config.budget.pages) == ("x", 3)
        assert (loaded.folder, loaded.text) == (tmp_path, "name: x\r\n")

    def test_a_file_that_cannot_be_read_is_a_config_error(self, tmp_path):
        for path in (tmp_path / "none.yaml", tmp_path):
            with pytest.raises(ConfigError, match="expected a configuration file"):
                load(path)

    def test_bytes_that_are_no_utf_8_are_refused_with_their_place(self, tmp_path):
        path = tmp_path / "crawl.yaml"
        path.write_bytes(b"name: x\nseeds: [caf\xe9]\n")
        with pytest.raises(ConfigMistakesError, match=r"crawl.yaml:2:12: byte 0xe9: expected UTF-8"):
            load(path)


def test_mistakes_survive_pickling():
    with pytest.raises(ConfigMistakesError) as caught:
        loads("nmae: x", "c.yaml")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_dump_names_every_key_in_documented_order():
    lines = [line.strip().partition(":")[0] for line in dump(CrawlConfig()).splitlines() if ":" in line]
    assert lines == [key.rpartition(".")[2] for key in all_keys()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{}", ("1s", None, 1)),
        ("{concurrency: 3}", ("1s", None, 3)),
        ("{delay: 0}", ("0s", None, 1)),
        ("{rate: 5/s}", (None, "5/s", 1)),
    ],
)
def test_dump_fills_in_what_the_default_pace_leaves_out(text, shown):
    pace = config_of(dump(config_of(f"limits: {{default: {text}}}"))).limits.default
    written = [str(value) if value is not None else None for value in (pace.delay_s, pace.rate_per_s)]
    assert (*written, pace.concurrency) == shown


def test_a_relative_path_of_a_text_starts_here():
    assert loads("", "defaults").folder == Path()
