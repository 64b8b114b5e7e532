"""Nothing that is read becomes code, a program or a file's name, and no pattern or text of a user's takes for ever."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import crawler
from crawler.config.file import ConfigMistakesError, load, loads
from crawler.config.filing import Filed
from crawler.config.tree import MAX_BYTES

PACKAGE = Path(crawler.__file__).parent

#: what makes code or objects out of data, or starts programs
DANGEROUS_MODULES = frozenset(
    ("code", "codeop", "ctypes", "dbm", "dill", "jsonpickle", "marshal", "multiprocessing", "pickle", "runpy", "shelve",
     "subprocess", "cloudpickle", "joblib")
)  # fmt: skip
DANGEROUS_CALLS = frozenset(
    ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.load_all", "yaml.full_load",
     "yaml.unsafe_load", "yaml.compose", "importlib.import_module", "import_module", "os.execv", "os.execve",
     "tempfile.mktemp")
)  # fmt: skip
#: (file, what) -> why it may
ALLOWED = {
    ("cli/__init__.py", "importlib.import_module"): "a command of COMMANDS",
    ("__init__.py", "import_module"): "a public name's home",
    ("extract/hook.py", "importlib.import_module"): "extract.python, which the operator wrote",
    ("parse/forkserver.py", "importlib.import_module"): "our own extractor",
    ("parse/entry.py", "importlib.import_module"): "our own extractor, named by the parent's command line",
    ("parse/forkserver.py", "ctypes"): "libc, for what Python has no name for",
    ("heap.py", "ctypes"): "libc, for what Python has no name for",
    ("cli/processes.py", "subprocess"): "this very command, with the words that were typed",
    ("mining/workers.py", "subprocess"): "our own interpreter and code",
    ("parse/server.py", "subprocess"): "our own interpreter and code",
    ("parse/trial.py", "subprocess"): "our own interpreter and code",
}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())


def used(tree):
    """The dangerous modules and calls in one file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in DANGEROUS_CALLS:
            yield called
            continue
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in DANGEROUS_MODULES)


@pytest.mark.slow
def test_nothing_makes_code_or_objects_of_data_but_where_a_reason_is_given():
    found = {(name, what) for name, tree in modules() for what in used(tree)}
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "reasons for what is not there any more"


RE_CALLS = frozenset(
    f"re.{name}" for name in ("compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")
)
#: patterns of Python's `re` that are made as the program runs -> from what
MADE_PATTERNS = {
    "extract/dates.py": "parts of our own",
    "extract/flatten_page.py": "names of elements, of a list of our own",
    "extract/json_value.py": "a variable's name as config.rule_fields lets it be, which means itself",
    "extract/near_misses.py": "a class or id, escaped",
    "mining/words.py": "classes of characters, of our own",
}


def is_constant(node):
    """Whether an expression is made of literals and constants of the module alone."""
    match node:
        case ast.Constant() | ast.Name(id=str()) if isinstance(node, ast.Constant) or node.id.isupper():
            return True
        case ast.JoinedStr(values=values):
            return all(map(is_constant, values))
        case ast.FormattedValue(value=value) | ast.Attribute(value=value):
            return is_constant(value)
        case ast.BinOp(left=left, right=right):
            return is_constant(left) and is_constant(right)
        case ast.Call(args=arguments, func=func):
            return ast.unparse(func) in ("re.escape", "bytes", "'|'.join") and all(map(is_constant, arguments))
    return False


@pytest.mark.slow
def test_patterns_of_users_are_never_pythons_own():
    """`re` backtracks; all that is compiled with it is written in our own code, and the rest is RE2's."""
    found = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in RE_CALLS and not is_constant(node.args[0]):
                found.add((name, ast.unparse(node.args[0])))
    assert {name for name, _ in found} <= MADE_PATTERNS.keys(), found


SLOW = "(a*)*(a*)*(a*)*(a*)*b"
PYTHON_ONLY = r"(?=a)b"


@pytest.mark.parametrize(
    "text",
    [
        "scope: {{include: ['/{}/']}}",
        "scope: {{exclude: ['/{}/']}}",
        "extract: {{rules: [{{name: x, match: {{url: ['/{}/']}}, fields: {{a: p}}}}]}}",
        "extract: {{rules: [{{name: x, fields: {{a: {{css: p, regex: '{}'}}}}}}]}}",
        "extract: {{rules: [{{name: x, fields: {{a: {{css: p, transform: [{{replace: ['/{}/', x]}}]}}}}}}]}}",
        "extract: {{rules: [{{name: x, fields: {{a: p}}, follow: [{{url: ['/{}/']}}]}}]}}",
        "export: {{files: ['/{}/']}}",
    ],
)
def test_patterns_of_a_configuration_are_re2(text):
    loads(text.format(SLOW), "crawl.yaml")
    with pytest.raises(ConfigMistakesError, match="RE2"):
        loads(text.format(PYTHON_ONLY), "crawl.yaml")


def test_a_content_type_with_many_wildcards_takes_a_server_no_further():
    """With Python's `re` this Content-Type would take days."""
    filed = Filed(["image/*a*a*a*a*a*a*a*b"])
    assert not filed.wants("https://a.test/", "image/" + "a" * 60_000)
    assert filed.wants("https://a.test/", "image/" + "a" * 60_000 + "b")


FIELDS = "extract:\n  rules:\n  - name: x\n    fields:\n      f0: &f0 {css: p}\n"


def laughs(levels, each):
    lines = [
        f"      f{n}: &f{n} {{css: p, fields: {{{', '.join(f'a{i}: *f{n - 1}' for i in range(each))}}}}}\n"
        for n in range(1, levels)
    ]
    return FIELDS + "".join(lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (laughs(30, 9), r"crawl.yaml:9:\d+: expected aliases that stand for at most 20,000 values"),
        (laughs(900, 1), r"crawl.yaml:\d\d:\d+: expected at most 20 levels of nesting"),
        ("seeds: " + "[" * 100_000, r"crawl.yaml:1:\d+: expected at most 20 levels"),
        ("a: " + "{a: " * 100_000, r"crawl.yaml:1:\d+: expected at most 20 levels"),
        ("seeds: &a [*a]", "crawl.yaml:1:12: .a has no anchor"),
        ("seeds: [" + "*a, " * 5000 + "]", "crawl.yaml:1:9: .a has no anchor"),
        ("seeds: [&a b, " + "*a, " * 5000 + "]", r"crawl.yaml:1:\d+: expected at most 1000 aliases"),
        (
            "seeds: !!python/object/apply:os.system [touch x]",
            "crawl.yaml:1:8: seeds: tags such as .* are not",
        ),
        ("seeds: !!python/name:os.system x", "crawl.yaml:1:8: seeds: tags such as"),
        ("name: !!binary aGVsbG8=", "crawl.yaml:1:7: name: tags such as"),
        ("a" * 1000 + ": 1", "a{200}…: unknown key"),
        ("# " + "x" * MAX_BYTES, "crawl.yaml: expected at most 16,777,216 bytes"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_configuration_is_read_within_bounds(text, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("crawl.yaml").write_text(text)
    with pytest.raises(ConfigMistakesError, match=told):
        load(Path("crawl.yaml"))
    assert [path.name for path in tmp_path.iterdir()] == ["crawl.yaml"]


def test_an_endless_file_is_no_configuration(tmp_path):
    with pytest.raises(ConfigMistakesError, match="expected at most"):
        load(Path("/dev/zero"))
    (tmp_path / "crawl.yaml").write_text("extract: {rules: /dev/zero}")
    with pytest.raises(ConfigMistakesError, match="expected at most"):
        load(tmp_path / "crawl.yaml")


def test_an_option_is_read_within_bounds():
    with pytest.raises(ConfigMistakesError, match="expected KEY=VALUE"):
        loads("", "defaults", ["a." * 5000 + "a=1"])
    with pytest.raises(ConfigMistakesError, match="levels of nesting"):
        loads("", "defaults", ["seeds=" + "[" * 5000])


def test_aliases_within_reason_stand_for_what_they_repeat():
    hosts = "".join(f"    h{n}.test: *slow\n" for n in range(900))
    config = loads(f"limits:\n  hosts:\n    a.test: &slow {{delay: 2s, concurrency: 1}}\n{hosts}", "").config
    assert len(config.limits.hosts) == 901
