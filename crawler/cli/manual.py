"""What does the help of each command say beside its description and options? A test runs or parses every example."""

from __future__ import annotations

from typing import Final, NamedTuple


class Manual(NamedTuple):
    """The parts of one command's help."""

    #: name as in the usage line -> what it is
    arguments: dict[str, str] = {}  # noqa: RUF012 - nothing is ever put in
    #: title -> long options, in order; options that are in none are shown after them
    groups: dict[str, tuple[str, ...]] = {}  # noqa: RUF012
    #: whole command lines
    examples: tuple[str, ...] = ()
    #: what is read or written
    files: dict[str, str] = {}  # noqa: RUF012
    exits: dict[int, str] = {}  # noqa: RUF012
    #: other commands, and documents
    see: tuple[str, ...] = ()


_USAGE: Final = "usage or configuration: the message says what and where"
_DIR: Final = "the directory of a crawl: one that runs, was interrupted or has ended"
_MACHINE: Final = "the program or its machine failed"

MANUALS: Final = {
    "crawl": Manual(
        arguments={
            "https://example.org/a": "a URL",
            "example.org": "a host, tried as https",
            "sitemap:URL": "a sitemap or feed; sitemap:example.org is its /sitemap.xml",
            "seeds.txt": "a file: one of these a line, or .jsonl/.csv with a url field",
            "-": "the same lines from standard input",
        },
        groups={
            "What is crawled": ("--config", "--set", "--depth", "--max-pages", "--delay", "--dry-run"),
            "Where it goes": ("--directory", "--output"),
            "Going on": ("--resume", "--retry-failed", "--where", "--repair", "--fresh"),
            "Crawling again": ("--refresh", "--due"),
            "With other workers": ("--frontier", "--processes"),
            "While it runs": ("--serve", "--verbose", "--quiet", "--log-format"),
        },
        examples=(
            "crawler crawl example.org --max-pages 10 -d data/first",
            "crawler crawl seeds.txt --set export.warc=true -d 'data/news-{date}'",
            "crawler crawl -c crawl.yaml --dry-run",
            "crawler crawl -c crawl.yaml --serve 8600",
            "crawler crawl -d data/first --resume --max-pages 50",
            "crawler crawl -d data/first --retry-failed --where 'reason=timeout|dns'",
            "crawler crawl -d data/first --refresh",
            "crawler crawl -c crawl.yaml --frontier redis://127.0.0.1:6379/0 --processes 2",
            "crawler crawl sitemap:example.org -o - | jq .title",
        ),
        files={
            "DIR/pages.jsonl": "a line for each page: `crawler schema pages`",
            "DIR/outcomes.jsonl": "a line for each URL that is no page, and why",
            "DIR/RULE.jsonl": "a line for each record of a scraping rule",
            "DIR/summary.json": "the counts, once it has ended",
            "DIR/report.html": "all there is to tell, on a page, once it has ended",
            "DIR/runs.jsonl": "a line as each run begins, and one as it ends",
            "DIR/crawl.log": "what went on, by time",
            "DIR/crawl.db": "every URL, to go on from and to query",
            "DIR/crawl.yaml": "the configuration in force, without secrets",
            "DIR@N/": "an older generation of the crawl, or one that is being made",
        },
        exits={
            0: "complete, or stopped by a budget",
            1: "the program or its machine failed; --resume goes on",
            2: _USAGE,
            3: "no seed could be fetched",
            4: "complete, but with failures that a retry may mend",
            130: "interrupted; --resume goes on",
        },
        see=(
            "crawler init, crawler check, crawler why, crawler report",
            "docs/politeness.md, docs/records.md, docs/refresh.md, docs/workers.md",
        ),
    ),
    "check": Manual(
        arguments={"crawl.yaml": "a configuration, or a file of scraping rules alone"},
        examples=(
            "crawler check crawl.yaml",
            "crawler check crawl.yaml --host shop.example.org",
            "crawler check crawl.yaml --set limits.default.delay=5s > whole.yaml",
        ),
        exits={0: "valid", 2: "mistakes, each with file, line, value and what was expected"},
        see=("crawler init, crawler crawl --dry-run, crawler schema config",),
    ),
    "why": Manual(
        arguments={"DIR": _DIR, "URL": "a URL, or a host, tried as https and then as http"},
        examples=("crawler why data/first https://example.org/", "crawler why data/first example.org/a --json"),
        files={"DIR/crawl.db": "is read; without it, the output files are"},
        exits={0: "the crawl knows the URL", 2: _USAGE, 3: "it does not: the nearest it knows is named"},
        see=("crawler crawl --retry-failed, docs/records.md",),
    ),
    "status": Manual(
        arguments={
            "URL": "a Redis or Valkey: redis://HOST:PORT/0, rediss:// with TLS; ?prefix= names the crawl, too",
            "DIR": "the directory that workers of a crawl write to",
            "NAME": "the crawl's name; needed where there are several",
        },
        groups={
            "What is shown": ("--json", "--watch"),
            "What the crawl is told": ("--pause", "--resume", "--stop", "--limit", "--forget"),
        },
        examples=(
            "crawler status redis://127.0.0.1:6379/0",
            "crawler status redis://127.0.0.1:6379/0 shop --watch",
            "crawler status data/shop --json | jq .totals",
            "crawler status data/shop --limit '*.example.org' delay=5s",
            "crawler status data/shop --limit '*.example.org' default",
            "crawler status data/shop --forget shop",
        ),
        exits={0: "shown, or done", 1: f"{_MACHINE}, or Redis does not answer", 2: _USAGE, 130: "interrupted"},
        see=("docs/status.md, crawler crawl",),
    ),
    "try": Manual(
        arguments={
            "URL": "a page, or a host, tried as https",
            "FILE": "a page on this machine: .html, .json or .xml, .gz or not; any name with --url",
            "DIR/URL": "a page of the crawl in DIR, which has a WARC archive",
        },
        examples=(
            "crawler try https://example.org/ -c rules.yaml --watch",
            "crawler try page.html --url https://example.org/lamp -c rules.yaml",
            "crawler try data/shop/https://example.org/lamp",
            "crawler try --suggest 24.99 'Blue Lamp' https://example.org/lamp",
        ),
        exits={0: "there is a record", 2: _USAGE, 3: "there is none: what happened to the URL is printed"},
        see=("docs/try.md, docs/rules.md, crawler reparse",),
    ),
    "report": Manual(
        arguments={"DIR": _DIR},
        examples=(
            "crawler report data/shop --open",
            "crawler report data/shop -o shop.html",
            "crawler report data/shop --json | jq .hosts",
        ),
        files={"DIR/report.html": "the page; nothing else is written"},
        exits={0: "written", 1: _MACHINE, 2: _USAGE},
        see=("docs/report.md, crawler why, crawler crawl",),
    ),
    "diff": Manual(
        arguments={"DIR1": f"{_DIR}: the state before", "DIR2": "likewise: the state after"},
        examples=(
            "crawler diff data/shop@1 data/shop | jq .url",
            "crawler diff data/monday data/tuesday --only items --to changed.jsonl",
            "crawler diff data/monday data/tuesday --report changed.html",
        ),
        files={"FILE": "the lines, once all are there: `crawler schema diff`", "FILE.html": "the page"},
        exits={0: "compared, whether they differ or not", 1: _MACHINE, 2: _USAGE},
        see=("docs/diff.md, crawler crawl --refresh, crawler report",),
    ),
    "merge": Manual(
        arguments={"DIR": "what workers of a shared crawl wrote to: of each machine its own, or one on a shared disk"},
        examples=(
            "crawler merge data/shop",
            "crawler merge a/shop b/shop c/shop -d shop",
            "crawler merge data/shop --frontier redis://127.0.0.1:6379/0",
        ),
        files={
            "DIR/workers/": "the files of each worker; they are only read",
            "OUT/pages.jsonl": "and all other files of a crawl: `crawler crawl --help`",
            "OUT/merged.json": "what the merge came to, and as of when",
        },
        exits={
            0: "merged, as the ledger has it",
            1: f"{_MACHINE}; nothing has changed",
            2: _USAGE,
            4: "merged without the ledger, or some records are lost: it is said which",
            130: "interrupted; nothing has changed",
        },
        see=("docs/merge.md, crawler status, crawler export",),
    ),
    "reparse": Manual(
        arguments={"DIR": "the directory of a crawl with export.warc: true", "FILE": "a WARC file of anybody's"},
        examples=(
            "crawler reparse data/shop -c rules.yaml",
            "crawler reparse data/shop --set extract.text=markdown -d data/shop-2",
        ),
        files={"OUT/pages.jsonl": "and the files of rules, as a crawl would have written them"},
        exits={0: "extracted", 2: _USAGE, 3: "there was no answer to extract from"},
        see=("docs/archive.md, crawler try, crawler export",),
    ),
    "query": Manual(
        arguments={"DIR": _DIR, "SQL": "one SELECT; - reads it from standard input; without it, tables are listed"},
        examples=(
            "crawler query data/shop",
            "crawler query data/shop 'SELECT url, title FROM pages WHERE depth < 2'",
            "crawler query data/shop 'SELECT outcome, count(*) FROM ledger GROUP BY 1'",
            "crawler query data/shop 'SELECT * FROM products' --to products.parquet",
        ),
        exits={0: "answered", 1: _MACHINE, 2: _USAGE, 130: "interrupted"},
        see=("docs/export.md, docs/crawl-db.md, crawler export",),
    ),
    "export": Manual(
        arguments={"DIR": _DIR, "NAME": "a file of records: pages, a rule, …; default: as FILE is called, else pages"},
        groups={
            "What is written": ("--where", "--select", "--unique", "--all"),
            "Where it goes": ("--to", "--raw-cells"),
        },
        examples=(
            "crawler export data/shop products",
            "crawler export data/shop --to products.csv",
            "crawler export data/shop --to pages.parquet",
            "crawler export data/shop --to shop.sqlite",
            "crawler export data/shop --to pages.jsonl.zst --where 'depth < 3'",
        ),
        exits={0: "written", 1: _MACHINE, 2: _USAGE, 130: "interrupted"},
        see=("docs/export.md, crawler query, crawler schema items, docs/rules.md",),
    ),
    "mine": Manual(
        arguments={"DIR": _DIR},
        examples=(
            "crawler mine data/shop",
            "crawler mine data/shop --only near,dead --jobs 4",
            "crawler mine data/shop -q --json | jq .steps",
        ),
        files={
            "DIR/near_duplicates.jsonl": "pages that say nearly the same, by cluster",
            "DIR/keywords.jsonl": "of each page; host_keywords.jsonl: of each host",
            "DIR/ranks.jsonl": "PageRank and links of each page; host_ranks.jsonl: of hosts",
            "DIR/dead_links.jsonl": "URLs that failed, and the pages that link to them",
            "DIR/languages.jsonl": "pages and words by host and language",
            "DIR/mine.json": "of what all this was made, and how: `crawler schema mine`",
        },
        exits={0: "written", 1: _MACHINE, 2: _USAGE, 130: "interrupted; what was there before is as it was"},
        see=("docs/mining-crawl.md, crawler schema near_duplicates, crawler report",),
    ),
    "init": Manual(
        arguments={"DIR": "where to write; it is made if need be. Default: here"},
        examples=(
            "crawler init shop",
            "crawler init shop --from https://shop.example.org/",
            "crawler init shop --from shop.example.org --set limits.default.delay=3s",
        ),
        files={
            "DIR/crawl.yaml": "the configuration, with a comment for each key",
            "DIR/seeds.txt": "where to start",
            "DIR/rules.yaml": "with --from: scraping rules, where pages describe what they show",
        },
        exits={0: "written", 2: "usage, or a file exists", 3: "the site could not be looked at: nothing is written"},
        see=("crawler check, crawler try --suggest, crawler schema config",),
    ),
    "demo": Manual(
        examples=("crawler demo", "crawler demo -d shop"),
        exits={0: "complete", 1: _MACHINE, 4: "complete, but some URLs failed: the shop has such", 130: "interrupted"},
        see=("crawler crawl, crawler init",),
    ),
    "schema": Manual(
        arguments={
            "config": "crawl.yaml, for editors",
            "pages, outcomes, …": "one line of that file: pages, outcomes, links, sitemaps, seeds, files, changes",
            "items": "one record of each rule in FILE, or of the rule NAME",
            "rejects": "one record that a rule rejected",
        },
        examples=("crawler schema config > crawl.schema.json", "crawler schema items -c rules.yaml --rule products"),
        exits={0: "printed", 2: _USAGE},
        see=("docs/records.md",),
    ),
    "doctor": Manual(
        examples=("crawler doctor", "crawler doctor --host shop.example.org -d /srv/crawls", "crawler doctor --json"),
        exits={0: "nothing failed", 1: "something did, and each line says what to do"},
        see=("crawler check, docs/backends.md",),
    ),
    "completion": Manual(
        arguments={"bash": "4.4 or later", "zsh": "after compinit", "fish": "3.0 or later"},
        examples=(
            "source <(crawler completion bash)",
            "crawler completion bash > ~/.local/share/bash-completion/completions/crawler",
            "crawler completion zsh > ~/.zfunc/_crawler",
            "crawler completion fish > ~/.config/fish/completions/crawler.fish",
        ),
        exits={0: "printed", 2: _USAGE},
    ),
}  # fmt: skip
"""By command."""
