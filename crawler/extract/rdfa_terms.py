"""What do the names in RDFa attributes stand for? Prefixes, terms and vocabularies (RDFa Core 1.1, section 7.4).

The prefixes that need no declaration are those of RDFa's initial context (w3.org/2011/rdfa-context/rdfa-1.1).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

XHV = "http://www.w3.org/1999/xhtml/vocab#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
USES_VOCABULARY = "http://www.w3.org/ns/rdfa#usesVocabulary"

MAX_PREFIXES = 200
"""In force at one place; those declared once there are as many are passed over."""
_MAX_IRI_CHARS = 1_000

INITIAL_PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "": XHV,
        "as": "https://www.w3.org/ns/activitystreams#",
        "cc": "http://creativecommons.org/ns#",
        "csvw": "http://www.w3.org/ns/csvw#",
        "ctag": "http://commontag.org/ns#",
        "dc": "http://purl.org/dc/terms/",
        "dc11": "http://purl.org/dc/elements/1.1/",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcterms": "http://purl.org/dc/terms/",
        "dqv": "http://www.w3.org/ns/dqv#",
        "duv": "https://www.w3.org/ns/duv#",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "gr": "http://purl.org/goodrelations/v1#",
        "grddl": "http://www.w3.org/2003/g/data-view#",
        "ical": "http://www.w3.org/2002/12/cal/icaltzd#",
        "ldp": "http://www.w3.org/ns/ldp#",
        "ma": "http://www.w3.org/ns/ma-ont#",
        "oa": "http://www.w3.org/ns/oa#",
        "og": "http://ogp.me/ns#",
        "org": "http://www.w3.org/ns/org#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "prov": "http://www.w3.org/ns/prov#",
        "qb": "http://purl.org/linked-data/cube#",
        "rdf": RDF,
        "rdfa": "http://www.w3.org/ns/rdfa#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "rev": "http://purl.org/stuff/rev#",
        "rif": "http://www.w3.org/2007/rif#",
        "rr": "http://www.w3.org/ns/r2rml#",
        "schema": "http://schema.org/",
        "sd": "http://www.w3.org/ns/sparql-service-description#",
        "sioc": "http://rdfs.org/sioc/ns#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "skosxl": "http://www.w3.org/2008/05/skos-xl#",
        "v": "http://rdf.data-vocabulary.org/#",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "void": "http://rdfs.org/ns/void#",
        "wdr": "http://www.w3.org/2007/05/powder#",
        "wdrs": "http://www.w3.org/2007/05/powder-s#",
        "xhv": XHV,
        "xml": "http://www.w3.org/XML/1998/namespace",
        "xsd": XSD,
    }
)
TERMS: Mapping[str, str] = MappingProxyType(
    {"describedby": "http://www.w3.org/2007/05/powder-s#describedby", "license": f"{XHV}license", "role": f"{XHV}role"}
)
_TERMS_OF_1_0 = (
    "alternate appendix bookmark cite chapter contents copyright first glossary help icon index last license meta next "
    "p3pv1 prev role section stylesheet subsection start top up"
)
TERMS_1_0: Mapping[str, str] = MappingProxyType({name: XHV + name for name in _TERMS_OF_1_0.split()})
"""Of RDFa 1.0 in XHTML, where every link says something."""

_MAPPING = re.compile(r"(?<![^\s:])([^\s:]*+):\s++(\S+)")  # begins where it can only: else time is quadratic
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Names:
    """What names stand for at one place of a document."""

    __slots__ = ("_prefixes", "_terms", "vocab")

    def __init__(self, prefixes: Mapping[str, str], terms: Mapping[str, str], vocab: str | None) -> None:
        self._prefixes = prefixes
        self._terms = terms
        self.vocab = vocab

    def within(self, attributes: Mapping[str, str | None], resolve: Callable[[str], str | None]) -> Names:
        """Those of an element here with `attributes`; the same object where it changes nothing."""
        vocab, declared = self.vocab, declared_prefixes(attributes)
        if "vocab" in attributes:
            name = (attributes["vocab"] or "").strip()
            vocab = resolve(name) if 0 < len(name) <= _MAX_IRI_CHARS else None
        if not declared and vocab == self.vocab:
            return self
        prefixes = self._prefixes
        if declared and len(prefixes) + len(declared) <= MAX_PREFIXES:
            prefixes = {**prefixes, **declared}
        return Names(prefixes, self._terms, vocab)

    def name(self, text: str) -> str | None:
        """The IRI of a term, CURIE or absolute IRI."""
        if ":" not in text:
            return self.vocab + text if self.vocab is not None else self._terms.get(text.lower())
        return self.curie(text) or (text if _SCHEME.match(text) else None)

    def names(self, text: str | None) -> list[str]:
        """All that are named in an attribute, each once."""
        found = (self.name(part) for part in dict.fromkeys((text or "").split()))
        return [iri for iri in found if iri]

    def curie(self, text: str) -> str | None:
        """The IRI that a prefix and a name make; None where the prefix is none."""
        prefix, _, reference = text.partition(":")
        if prefix == "_":
            return f"_:{reference}"
        if reference.startswith("//"):
            return None
        base = self._prefixes.get(prefix.lower())
        return base + reference if base is not None else None

    def resource(self, text: str, resolve: Callable[[str], str | None]) -> str | None:
        """The IRI of an ``about`` or ``resource``: a CURIE, perhaps in brackets, or any URL."""
        text = text.strip()
        if text.startswith("[") and text.endswith("]"):
            return self.curie(text[1:-1])
        if ":" in text and (iri := self.curie(text)):
            return iri
        return resolve(text)


def declared_prefixes(attributes: Mapping[str, str | None]) -> dict[str, str]:
    """The prefixes that an element declares: as RDFa 1.1 has it, and as XML had it before."""
    found = [(name[6:], iri.strip()) for name, iri in attributes.items() if iri and name.startswith("xmlns:")]
    found += _MAPPING.findall(attributes.get("prefix") or "")
    return {prefix.lower(): iri for prefix, iri in found[:MAX_PREFIXES] if len(iri) <= _MAX_IRI_CHARS}
