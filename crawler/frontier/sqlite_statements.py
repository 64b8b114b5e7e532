"""In which statements does a checkpoint get into the store? Each takes one JSON document, of many rows.

Those of `draft` are objects, from URL or name to a number: SQLite reads them four times as fast as arrays of rows, in
each of which it looks up one column after the other.
"""

from __future__ import annotations

from crawler.frontier.draft import HOST_SHIFT, PRIORITY_BITS, SOURCE_BITS
from crawler.frontier.sqlite_schema import STATE_COLUMNS

SOURCES = """
INSERT INTO source
SELECT ? + key, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
FROM json_each(CAST(? AS TEXT))
"""
URLS = f"""
INSERT INTO url (host, priority, depth, via, seed, url)
SELECT
    new.value >> {HOST_SHIFT}, new.value >> {SOURCE_BITS} & {(1 << PRIORITY_BITS) - 1},
    source.depth, source.via, source.seed, new.key
FROM json_each(CAST(? AS TEXT)) AS new CROSS JOIN source ON source.number = new.value & {(1 << SOURCE_BITS) - 1}
"""  # noqa: S608
EXTRAS = """
UPDATE url SET extra = json_extract(given.value, '$[1]')
FROM json_each(CAST(? AS TEXT)) AS given WHERE url.id = json_extract(given.value, '$[0]')
"""

_DONE = "INSERT INTO done (id, at, outcome, reason, status, target, attempts, has_page)"
DONE = f"""
{_DONE}
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'),
    json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'), json_extract(value, '$[7]')
FROM json_each(CAST(? AS TEXT))
"""  # noqa: S608
DONE_ALIKE = f"{_DONE} SELECT key, value, ?, ?, ?, ?, ?, ? FROM json_each(CAST(? AS TEXT))"  # noqa: S608

VALIDATORS = """
INSERT INTO validator
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
FROM json_each(CAST(? AS TEXT))
"""

STATES = f"""
INSERT INTO host (id, name, {", ".join(STATE_COLUMNS)})
SELECT {", ".join(f"json_extract(value, '$[{place}]')" for place in range(2 + len(STATE_COLUMNS)))}
FROM json_each(CAST(? AS TEXT)) WHERE true
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in STATE_COLUMNS)}
"""  # noqa: S608

ROBOTS = """
INSERT OR REPLACE INTO robots
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
    json_extract(value, '$[2]'), json_extract(value, '$[3]')
FROM json_each(CAST(? AS TEXT))
"""

HOSTS = "INSERT INTO host (id, name) SELECT value, key FROM json_each(CAST(? AS TEXT))"
SEEDS = """
INSERT INTO seed
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
FROM json_each(CAST(? AS TEXT))
"""
SNOOZED = """
INSERT INTO snoozed
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]')
FROM json_each(CAST(? AS TEXT)) WHERE true
ON CONFLICT (id) DO UPDATE SET
    due_ms = excluded.due_ms, attempt = excluded.attempt, reason = coalesce(excluded.reason, reason)
"""
AWAKE = "DELETE FROM snoozed WHERE id IN (SELECT value FROM json_each(CAST(? AS TEXT)))"
FILES = "INSERT OR REPLACE INTO file SELECT key, value FROM json_each(CAST(? AS TEXT))"
COUNTERS = "INSERT OR REPLACE INTO counter SELECT key, value FROM json_each(CAST(? AS TEXT))"
