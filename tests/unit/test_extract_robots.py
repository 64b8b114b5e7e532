import gzip
import json
import re
import time

import pytest

from crawler.extract.robots import parse
from crawler.extract.robots_match import MAX_WILDCARDS, Matcher, deciding_rule
from crawler.models import Robots
from tests.support.corpora import corpus


def allows(body, path, agent="examplebot"):
    return Matcher(parse(body.encode(), agent)).allows(path)


def path_of(url):
    """Path, parameters and query of a URL, as Google's test program cuts them out."""
    if url.startswith("/"):
        return url
    rest = url.partition("://")[2].partition("#")[0]
    found = re.search(r"[/?;]", rest)
    path = rest[found.start() :] if found else "/"
    return path if path.startswith("/") else f"/{path}"


def body_of(row):
    return bytes.fromhex(row["robots_hex"]) if "robots_hex" in row else row["robots"].encode("utf-8", "surrogatepass")


def test_all_binding_cases_of_other_parsers_suites_pass():
    rows = [json.loads(line) for line in corpus("robots_cases.jsonl").read_text().splitlines()]
    binding = [row for row in rows if row["level"] in ("must", "rfc-escape")]
    wrong = [
        row["id"]
        for row in binding
        if Matcher(parse(body_of(row), row["user_agent"])).allows(path_of(row["url"])) != row["allowed"]
    ]
    assert len(binding) > 600
    assert wrong == []


@pytest.mark.slow
def test_verdicts_and_sitemaps_of_real_files_are_googles():
    wrong = []
    with gzip.open(corpus("robots_real.jsonl.gz"), "rt") as lines:
        for row in map(json.loads, lines):
            matchers = {}
            for agent, url, allowed, level in row["queries"]:
                if agent not in matchers:
                    robots = parse(body_of(row), agent)
                    matchers[agent] = Matcher(robots)
                if level == "must" and matchers[agent].allows(path_of(url)) != allowed:
                    wrong.append((row["file"], agent, url))
            if set(robots.sitemaps) != set(row["sitemaps"]) - {""}:
                wrong.append((row["file"], "sitemaps"))
    assert wrong == []


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("Disallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("Disallow: /a/b\nAllow: /a/b", "/a/b", True),  # a tie allows
        ("Disallow: /*.gif$", "/x/y.gif", False),
        ("Disallow: /*.gif$", "/x/y.gif?z", True),
        ("Disallow: /a$", "/a", False),
        ("Disallow: /a$", "/ab", True),
        ("Disallow: /a$b", "/a$b", False),
        ("Disallow: /a*b*c$", "/a1b2bc", False),
        ("Disallow: /a*b*bc$", "/abc", True),  # the pieces may not overlap
        ("Disallow: /*/x/*/y", "/1/x/2/y", False),
        ("Disallow:", "/a", True),
        ("Disallow: /", "/robots.txt", True),
        ("Allow: /a/index.html\nDisallow: /", "/a/", True),
        ("Disallow: /%7euser", "/~user", False),
        ("Disallow: /caf\u00e9", "/caf%C3%A9", False),
        ("Disallow: /a%2fb", "/a%2Fb", False),
        ("Disallow: /a%2fb", "/a/b", True),
        ("Disallow: /50%", "/50%25", False),
        ("Disallow: /a b", "/a%20b", False),
        ("Disallow: /?q='", "/?q=%27", False),
    ],
)
def test_the_longest_match_decides(rules, path, expected):
    assert allows(f"User-agent: *\n{rules}\n", path) is expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("examplebot", False),
        ("ExampleBot/2.1 (+https://example.org)", False),
        ("examplebotnews", True),
        ("example", True),
    ],
)
def test_only_the_group_of_the_exact_token_speaks_to_us(agent, expected):
    body = "User-agent: ExampleBot\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n"
    assert allows(body, "/a", agent) is expected
    assert allows(body, "/b", agent) is not expected


def test_a_name_that_is_no_product_token_can_still_be_spelt_out():
    assert not allows("User-agent: bot2\nDisallow: /\n", "/", "bot2/1.0")
    assert allows("User-agent: bot3\nDisallow: /\n", "/", "bot2/1.0")


def test_groups_of_one_agent_are_merged():
    body = "User-agent: examplebot\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: EXAMPLEBOT\nDisallow: /b\n"
    assert [allows(body, path) for path in ("/a", "/b", "/c")] == [False, False, True]


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_any_line_end_ends_a_line(line_end):
    lines = [
        "\ufeffuseragent: *",
        "dissallow : /a # why",
        "Disallow /b",
        "Site-map: https://example.org/s.xml",
        "Sitemap:",
    ]
    robots = parse(line_end.join(lines).encode(), "examplebot")
    assert robots.rules == ((False, "/a"), (False, "/b"))
    assert robots.sitemaps == ("https://example.org/s.xml",)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Crawl-delay: 2.5", 2.5),
        ("Crawl-delay: 0", 0.0),
        ("Request-rate: 1/10s", 10.0),
        ("Request-rate: 30/1m 0800-1700", 2.0),
        ("Crawl-delay: 3\nRequest-rate: 1/10", 10.0),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: nan", None),
        ("Crawl-delay: soon", None),
        ("Request-rate: 0/10", None),
        ("Crawl-delay: 1e30", 86_400.0),
    ],
)
def test_the_pause_is_the_longest_the_group_asks_for(lines, expected):
    assert parse(f"User-agent: *\n{lines}\n".encode(), "examplebot").crawl_delay_s == expected
    assert parse(f"User-agent: other\n{lines}\n".encode(), "examplebot").crawl_delay_s is None


def test_nothing_is_read_beyond_500_kib():
    start = "User-agent: *\n"
    filler = "#" * (500 * 1024 - len(start) - 1) + "\n"
    assert allows(f"{start}{filler}Disallow: /a\n", "/a")
    assert not allows(f"{start}Disallow: /a\n{filler}", "/a")


def test_a_line_that_is_cut_by_the_limit_says_nothing():
    start = "User-agent: *\n"
    filler = "#" * (500 * 1024 - len(start) - len("\nDisallow: /")) + "\n"
    assert allows(f"{start}{filler}Disallow: /private/\n", "/a")
    assert allows("#" * (500 * 1024) + "\nUser-agent: *\nDisallow: /\n", "/a")


FILL = tuple((False, f"/fill/*/{n}") for n in range(MAX_WILDCARDS))


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ([(False, "/a*b")], "/a", False),  # cut at its star
        ([(False, "/a*b$")], "/a/c", False),
        ([(False, "/a*b")], "/b", True),
        ([(False, "/"), (True, "/a*b")], "/a/b", False),  # dropped
        ([(False, "/*bcdef"), (True, "/ab")], "/abcdef", False),  # a cut rule keeps its rank
        ([(False, "/*b"), (True, "/abc")], "/abc", True),
        ([(False, "/a*bc"), (True, "/abcd")], "/abcd", True),  # a tie allows
        ([(False, "/a*b"), (False, "/a*bcd"), (True, "/abcd")], "/abcd", False),
    ],
)
def test_beyond_the_limit_wildcard_rules_only_get_stricter(rules, path, expected):
    assert Matcher(Robots(rules=(*FILL, *rules))).allows(path) is expected


def test_all_wildcard_rules_up_to_the_limit_mean_what_they_say():
    matcher = Matcher(Robots(rules=FILL))
    assert not matcher.allows(f"/fill/x/{MAX_WILDCARDS - 1}")
    assert matcher.allows("/fill/x/y")


def test_a_path_too_long_for_all_its_wildcard_rules_is_refused_rather_than_matched():
    rules = tuple((False, f"/*{'a' * 60}b{n}") for n in range(400))
    matcher = Matcher(Robots(rules=((True, "/*?dear"), *rules)))
    assert matcher.allows("/" + "a" * 40)
    assert not matcher.allows("/" + "a" * 6_000)
    assert not matcher.allows("/" + "a" * 6_000 + "?dear")


HOSTILE = {
    "many stars": ("/*a*a*a*{n}", "a" * 1_500),
    "one piece over and over": ("/*aaaaaaaabaaaaaaa{n}", "a" * 16_000),
    "apostrophes": ("/*'*'*{n}", "'" * 16_000),
    "as many starts": ("/{n}*x", "a" * 16_000),
    "escapes": ("/%ff*{n}", "%FF" * 5_000),
}


@pytest.mark.parametrize(("pattern", "path"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.slow
def test_no_file_takes_long_to_compile_or_to_match(pattern, path):
    lines = "".join(f"Disallow: {pattern.format(n=n)}\n" for n in range(30_000))
    robots = parse(b"User-agent: *\n" + lines.encode(), "examplebot")
    assert cpu_s(lambda: Matcher(robots)) < 0.1
    matcher = Matcher(robots)
    assert cpu_s(lambda: matcher.allows(f"/{path}")) < 0.01


def cpu_s(task):
    """The best of three, since other processes disturb."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        task()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_a_rule_made_to_backtrack_is_matched_in_linear_time():
    matcher = Matcher(parse(b"User-agent: *\nDisallow: /" + b"*a" * 3000 + b"b$\n", "examplebot"))
    start = time.process_time()
    assert matcher.allows("/" + "a" * 16_000)
    assert time.process_time() - start < 0.1


# --- which rule decides ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ([], "/a", None),
        ([(False, "/b")], "/a", None),
        ([(False, "/"), (False, "/private/")], "/private/x", (False, "/private/")),
        ([(False, "/private/"), (True, "/private/ok")], "/private/okay", (True, "/private/ok")),
        ([(False, "/a"), (True, "/a")], "/a", (True, "/a")),
        ([(False, "/a$")], "/a", (False, "/a$")),
        ([(False, "/a$")], "/ab", None),
        ([(False, "/*.pdf$"), (False, "/x.txt")], "/x.pdf", (False, "/*.pdf$")),
        ([(False, "/b/*"), (False, "/a/*")], "/a/c", (False, "/a/*")),
        ([(False, "/~a")], "/%7Ea/b", (False, "/~a")),
        ([(False, "/")], "/robots.txt", None),
        ([*FILL, (False, "/a*b")], "/a", (False, "/a*b")),  # beyond the limit
    ],
)
def test_the_deciding_rule_is_told_as_it_is_written(rules, path, expected):
    assert deciding_rule(Robots(rules=tuple(rules)), path) == expected


@pytest.mark.parametrize(("pattern", "path"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.slow
def test_no_file_takes_long_to_say_which_rule_decides(pattern, path):
    lines = "".join(f"Disallow: {pattern.format(n=n)}\n" for n in range(30_000))
    robots = parse(b"User-agent: *\n" + lines.encode(), "examplebot")
    assert cpu_s(lambda: deciding_rule(robots, f"/{path}")) < 2
