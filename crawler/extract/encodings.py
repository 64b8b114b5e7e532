"""Which encoding does a label mean, and how is it decoded? As the WHATWG Encoding standard has it.

Labels and names are the standard's (encoding.spec.whatwg.org, sections 4.2 and 4.3); decoding is done by Python's
codecs, patched where they differ: its single-byte tables leave gaps the standard fills, its EUC-JP lacks the NEC
rows, its GB 18030 the lone 0x80. Known differences that remain: a few compatibility characters of Big5 and EUC-KR,
and how many bytes one U+FFFD stands for in a broken multi-byte sequence.
"""

from __future__ import annotations

import codecs
from functools import cache
from types import MappingProxyType

_LABELS_OF = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "ibm866": "866 cp866 csibm866 ibm866",
    "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
    "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 "
    "iso_8859-7:1987 sun_eu_greek",
    "iso-8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
    "iso_8859-8 iso_8859-8:1988 visual",
    "iso-8859-8-i": "csiso88598i iso-8859-8-i logical",
    "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "macintosh": "csmacintosh mac macintosh x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "windows-1250": "cp1250 windows-1250 x-cp1250",
    "windows-1251": "cp1251 windows-1251 x-cp1251",
    "windows-1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
    "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
    "windows-1253": "cp1253 windows-1253 x-cp1253",
    "windows-1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 "
    "windows-1254 x-cp1254",
    "windows-1255": "cp1255 windows-1255 x-cp1255",
    "windows-1256": "cp1256 windows-1256 x-cp1256",
    "windows-1257": "cp1257 windows-1257 x-cp1257",
    "windows-1258": "cp1258 windows-1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gbk": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "gb18030": "gb18030",
    "big5": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso-2022-jp": "csiso2022jp iso-2022-jp",
    "shift_jis": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "euc-kr": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
    "windows-949",
    "replacement": "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
    "utf-16be": "unicodefffe utf-16be",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "x-user-defined": "x-user-defined",
}

_NAME_OF = MappingProxyType({label: name for name, labels in _LABELS_OF.items() for label in labels.split()})

_MULTI_BYTE = MappingProxyType(
    {
        "gbk": "gb18030",  # the standard has one decoder for both
        "gb18030": "gb18030",
        "big5": "big5hkscs",
        "euc-jp": "euc_jp",
        "iso-2022-jp": "iso2022_jp_ext",
        "shift_jis": "cp932",
        "euc-kr": "cp949",
        "utf-8": "utf-8",
        "utf-16be": "utf-16-be",
        "utf-16le": "utf-16-le",
    }
)

#: where Python's codec is known by another name
_SINGLE_BYTE = MappingProxyType(
    {
        "macintosh": "mac_roman",
        "x-mac-cyrillic": "mac_cyrillic",
        "windows-874": "cp874",
        "iso-8859-8-i": "iso-8859-8",
    }
)

#: bytes that Python leaves undefined or maps otherwise
_SINGLE_BYTE_FIXES = MappingProxyType(
    {
        "koi8-u": MappingProxyType({0xAE: "\u045e", 0xBE: "\u040e"}),
        "windows-1255": MappingProxyType({0xCA: "\u05ba"}),
    }
)

_REPAIR = "crawler.extract.encodings"


def encoding_name(label: str) -> str | None:
    """The encoding a label means, by its WHATWG name in lower case; None for an unknown label."""
    return _NAME_OF.get(label.strip("\t\n\f\r ").lower())


def decode_as(data: bytes, name: str) -> str:
    """`data` decoded, errors as U+FFFD; the result never holds a surrogate.

    Args:
        data: Without its byte order mark.
        name: As `encoding_name` gives it.
    """
    if name == "replacement":
        return "\ufffd" if data else ""
    codec = _MULTI_BYTE.get(name)
    if codec is None:
        return codecs.charmap_decode(data, "strict", _single_byte_table(name))[0]
    return data.decode(codec, "replace" if name.startswith("utf") else _REPAIR)


@cache
def _single_byte_table(name: str) -> str:
    """The 256 characters of a single-byte encoding; gaps are C1 controls below 0xA0 and U+FFFD above."""
    if name == "x-user-defined":
        return "".join(chr(byte if byte < 0x80 else 0xF700 + byte) for byte in range(256))
    codec = _SINGLE_BYTE.get(name, name)
    table = [bytes((byte,)).decode(codec, "replace") for byte in range(256)]
    for byte in range(0x80, 0xA0):
        if table[byte] == "\ufffd":
            table[byte] = chr(byte)
    for byte, character in _SINGLE_BYTE_FIXES.get(name, {}).items():
        table[byte] = character
    return "".join(table)


def _repair(error: UnicodeError) -> tuple[str, int]:
    """The codec error handler: what the standard decodes and Python's codec does not, else U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, at = error.object, error.start
    if error.encoding == "gb18030" and data[at] == 0x80:
        return "\u20ac", at + 1
    if error.encoding == "euc_jp" and len(pair := data[at : at + 2]) == 2 and min(pair) > 0xA0:
        return _nec_character(pair[0] - 0xA1, pair[1] - 0xA1), at + 2
    return "\ufffd", error.end


def _nec_character(row: int, cell: int) -> str:
    """A character of JIS X 0208 with the NEC and IBM rows, which Python knows in Shift_JIS form only."""
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 + (cell >= 63))
    return bytes((lead, trail)).decode("cp932", "replace")[:1]


codecs.register_error(_REPAIR, _repair)
