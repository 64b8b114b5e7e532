"""Where do scraping rules stand that are not in the configuration itself?  In files beside it, which are spliced in.

``extract.rules`` may be the name of a file, and so may each item of the list, in such a file too. A file is a list of
rules, or a map with one under ``rules``. Names start from the folder of the file that names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from crawler.config.tree import List, Map, Mistake, Text, contents, decoded, read_tree
from crawler.config.values import is_null

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.config.tree import Node

_MAX_NESTED: Final = 5
_MAX_FILES: Final = 1000
_SHOWN_CHARS: Final = 200


def with_rules(root: Node, folder: Path, mistakes: list[Mistake]) -> Node:
    """The tree of a configuration with the rules in place of the names of their files.

    Args:
        root: The whole tree.
        folder: Where the configuration stands.
        mistakes: Grows by files that cannot be read or are no lists of rules.
    """
    extract = _below(root, "extract")
    rules = _below(extract, "rules")
    if not isinstance(root, Map) or not isinstance(extract, Map) or rules is None:
        return root
    found = _Splicing(mistakes).rules(rules, folder, ())
    below = Map(extract.place, extract.entries | {"rules": (extract.entries["rules"][0], found)})
    return Map(root.place, root.entries | {"extract": (root.entries["extract"][0], below)})


def is_rule_file(root: Node) -> bool:
    """Whether a file's tree is that of a rule file rather than of a configuration."""
    return isinstance(root, List) or (isinstance(root, Map) and root.entries.keys() == {"rules"})


def as_configuration(root: Node) -> Map:
    """The tree of a configuration that says no more than the rules of a rule file."""
    rules = root.entries["rules"][1] if isinstance(root, Map) else root
    return Map(root.place, {"extract": (root.place, Map(root.place, {"rules": (root.place, rules)}))})


class _Splicing:
    def __init__(self, mistakes: list[Mistake]) -> None:
        self._mistakes = mistakes
        self._n_files = 0

    def rules(self, node: Node, folder: Path, inside: tuple[Path, ...]) -> Node:
        """`node` with files read; `inside` are those that it stands in."""
        if is_null(node):
            return node
        if isinstance(node, Text):
            return List(node.place, self._items_of_file(node, folder, inside))
        if not isinstance(node, List):
            return node
        items: list[Node] = []
        for item in node.items:
            if isinstance(item, Text) and not is_null(item):
                items.extend(self._items_of_file(item, folder, inside))
            else:
                items.append(item)
        return msgspec.structs.replace(node, items=tuple(items))

    def _items_of_file(self, name: Text, folder: Path, inside: tuple[Path, ...]) -> tuple[Node, ...]:
        path = folder / name.value
        self._n_files += 1
        if path in inside or len(inside) >= _MAX_NESTED or self._n_files > _MAX_FILES:
            self._note(name, "expected rule files that do not name one another in a circle, nor more than 1000")
            return ()
        try:
            data = contents(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            where = f"{path}: " if len(name.value) <= _SHOWN_CHARS else ""
            self._note(name, f"{where}{reason}: expected a list of rules, or the name of a file of them")
            return ()
        text = decoded(data, str(path), self._mistakes)
        tree = read_tree(text, str(path), self._mistakes) if text is not None else None
        if tree is None or is_null(tree):
            return ()
        if not is_rule_file(tree):
            self._mistakes.append(Mistake(tree.place, "", "expected a list of rules, or a map of them under rules"))
            return ()
        listed = tree.entries["rules"][1] if isinstance(tree, Map) else tree
        found = self.rules(listed, path.parent, (*inside, path))
        if isinstance(found, List):
            return found.items
        if not is_null(found):
            self._mistakes.append(Mistake(found.place, "rules", "expected a list of rules"))
        return ()

    def _note(self, node: Text, expected: str) -> None:
        self._mistakes.append(Mistake(node.place, "extract.rules", expected, node.value))


def _below(node: Node | None, name: str) -> Node | None:
    return node.entries[name][1] if isinstance(node, Map) and name in node.entries else None
