import base64
import gzip
import json

import pytest

from crawler.extract.charset import decode, prescan
from crawler.extract.encodings import decode_as, encoding_name
from tests.support.corpora import corpus


def test_the_byte_order_mark_beats_header_and_meta():
    text = decode(b"\xef\xbb\xbf<meta charset=koi8-r>\xc3\xa9", "text/html; charset=windows-1251")
    assert (text.text, text.charset, text.source) == ("<meta charset=koi8-r>é", "utf-8", "bom")


@pytest.mark.parametrize(("bom", "codec"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_utf_16_is_known_by_its_mark(bom, codec):
    assert decode(bom + "žluť".encode(codec), None).text == "žluť"


@pytest.mark.parametrize(
    "header",
    ["text/html; charset=windows-1251", 'text/html;charset="Windows-1251"', "text/html; a=b; Charset = cp1251"],
)
def test_the_header_beats_the_meta_element(header):
    text = decode(b"<meta charset=utf-8>\xcf\xf0\xe8", header)
    assert (text.text[-3:], text.charset, text.source) == ("При", "windows-1251", "header")


def test_an_unknown_label_in_the_header_is_passed_over():
    text = decode(b"<meta charset=koi8-r>\xf0", "text/html; charset=nonsense")
    assert (text.charset, text.source) == ("koi8-r", "meta")


def test_undeclared_utf_8_is_taken_for_what_it_is_without_a_copy():
    body = "<p>žluť".encode()
    text = decode(body, "text/html")
    assert (text.charset, text.source) == ("utf-8", "utf-8")
    assert text.utf8 is body


def test_undeclared_bytes_that_are_no_utf_8_are_a_stated_guess():
    text = decode(b"caf\xe9 \x80", "text/html")
    assert (text.text, text.charset, text.source) == ("café €", "windows-1252", "fallback")


def test_broken_utf_8_becomes_replacement_characters():
    text = decode(b"a\xffb\xed\xa0\x80", "text/html; charset=utf-8")
    assert text.text == "a\ufffdb\ufffd\ufffd\ufffd"


def test_a_document_that_calls_itself_utf_16_in_ascii_is_utf_8():
    assert prescan(b"<meta charset=utf-16le>") == "utf-8"
    assert prescan(b"<meta charset=x-user-defined>") == "windows-1252"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'<?xml version="1.0" encoding="iso-8859-2"?><html>', "iso-8859-2"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=euc-kr'>", "euc-kr"),
        (b"<meta content='text/html; charset=euc-kr'>", None),
        (b"<!-- <meta charset=koi8-r> --><meta charset=big5>", "big5"),
        (b"<a title='<meta charset=koi8-r>'><meta charset=big5>", "big5"),
        (b"<meta charset=no-such><meta charset=gb2312>", "gbk"),
        (b"<meta charset='utf-8", None),
        (b"<meta charset=utf-8", None),
        (b"<\0?\0x\0", "utf-16le"),
        (b"charset=utf-8", None),
    ],
)
def test_declarations_are_read_as_the_standard_reads_them(head, expected):
    assert prescan(head) == expected


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("latin1", "windows-1252"),
        (" ASCII\n", "windows-1252"),
        ("GB2312", "gbk"),
        ("ks_c_5601-1987", "euc-kr"),
        ("iso-8859-9", "windows-1254"),
        ("hz-gb-2312", "replacement"),
        ("utf-7", None),
    ],
)
def test_labels_mean_what_the_encoding_standard_says(label, name):
    assert encoding_name(label) == name


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"\x81\x8d", "windows-1252", "\x81\x8d"),
        (b"\xca", "windows-1255", "\u05ba"),
        (b"\xae\xbe", "koi8-u", "ўЎ"),
        (b"\xa1\xff", "windows-1257", "\ufffd˙"),
        (b"\xdb", "windows-874", "\ufffd"),
        (b"\x80\xb0\xa1", "gbk", "€啊"),
        (b"\xad\xa1\xa4\xa2\xad\xea", "euc-jp", "①あ㈱"),
        (b"\x87\x40\x82\xa0\xb1", "shift_jis", "①あｱ"),
        (b"\xb0\xa1\x81\x41", "euc-kr", "가갂"),
        (b"\x80a", "x-user-defined", "\uf780a"),
        (b"anything", "replacement", "\ufffd"),
    ],
)
def test_bytes_mean_what_the_encoding_standard_says(data, name, expected):
    assert decode_as(data, name) == expected


def test_prescan_agrees_with_html5lib_on_every_case():
    rows = [json.loads(line) for line in corpus("encoding_prescan.jsonl").read_text().splitlines()]
    wrong = [
        row["id"] for row in rows if (prescan(bytes.fromhex(row["bytes_hex"])) or "windows-1252") != row["encoding"]
    ]
    assert len(rows) > 30
    assert wrong == []


@pytest.mark.slow
def test_pages_and_feeds_without_a_header_are_mostly_read_as_written():
    with gzip.open(corpus("encoding_files.jsonl.gz"), "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["kind"] in ("html", "feed")]
    right = 0
    for row in rows:
        body = base64.b64decode(row["b64"])
        right += decode(body, None).text == decode_as(body, row["encoding"]).removeprefix("\ufeff")
    print(f"{right} of {len(rows)} read as written")
    assert right / len(rows) > 0.92
