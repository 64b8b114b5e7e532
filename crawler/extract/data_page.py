"""What does a JSON or XML response hold for scraping rules?

What they are is told by their label alone: ``application/json`` and ``application/xml``, ``text/`` likewise, and every
type that ends in ``+json`` or ``+xml`` but for that of XHTML. JSON is UTF-8 (RFC 8259, section 8.1), with a byte order
mark or without; what is not valid as such, and XML, is decoded as HTML is, by byte order mark, header or declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from crawler.extract import charset, mime
from crawler.extract.json_value import JsonError, json_value
from crawler.extract.xml_value import xml_value

if TYPE_CHECKING:
    from crawler.extract.content import Decoded

DataKind = Literal["json", "xml"]


class Data(NamedTuple):
    """The value of one response."""

    text: str
    value: Any
    #: why it could not be read, or not to its end; None if it was
    problem: str | None


def data_kind(content_type: str) -> DataKind | None:
    """Which of the two a Content-Type header means; None for neither."""
    subtype = (mime.read(content_type).essence or "").partition("/")[2]
    if subtype == "json" or subtype.endswith("+json"):
        return "json"
    return "xml" if subtype == "xml" or subtype.endswith("+xml") else None


def read_data(kind: DataKind, body: Decoded, content_type: str | None) -> Data:
    """The value of a body; None where there is none. Any bytes will do."""
    if kind == "json":
        text = _json_text(body.data, content_type)
        try:
            return Data(text, json_value(text), why_cut(body))
        except JsonError as error:
            return Data(text, None, f"JSON: {error}")
    decoded = charset.decode(body.data, content_type)
    value, problem = xml_value(decoded.utf8)
    return Data(decoded.text, value, f"XML: {problem}" if problem else why_cut(body))


def why_cut(body: Decoded) -> str | None:
    """Why a body is not whole; None if it is."""
    return "a whole body; its compressed stream ends early" if body.truncated else None


def _json_text(body: bytes, content_type: str | None) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return charset.decode(body, content_type).text
