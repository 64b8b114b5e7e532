"""Where can a redirect lead, other than to a page? Browsers decide as the Fetch and URL standards say."""

from __future__ import annotations

from tests.support.faults.fault import DOMAIN, Endless, Fault, Reset, Silence, Step, html, ok

_REFUSED = "browsers follow no redirect to such a scheme (Fetch standard, HTTP-redirect fetch); curl fails with 1"
_FOLLOWED = "browsers and curl follow it"
_URL = "URL standard: browsers read it so"
_NOT_FOLLOWED = "neither browsers nor curl follow it: its page is shown, and it is no success"


def to(location: bytes | str, status: int = 302, body: bytes = b"", *headers: bytes) -> bytes:
    """A redirect."""
    value = location.encode() if isinstance(location, str) else location
    return ok(body, b"Location: " + value, *headers, status=b"HTTP/1.1 %d Moved" % status)


def _followed(name: str, location: bytes | str, target: str = "/there", because: str = _FOLLOWED) -> Fault:
    """`target` is a path of its host, or an absolute URL."""
    url = f"http://{{name}}{target}" if target.startswith("/") else target
    return Fault(name=name, steps=(to(location),), ends="redirected", leads_to=(url, "fetched", None), because=because)


def _refused(name: str, location: bytes | str, because: str = _REFUSED) -> Fault:
    return Fault(name=name, steps=(to(location),), ends="failed", reason="bad_redirect", attempts=1, because=because)


def _hops(count: int):  # type: ignore[no-untyped-def]  # of steps for a fault
    """Steps of a chain of so many redirects, whose paths are /0, /1, …"""

    def steps(head: bytes, _: str) -> tuple[Step, ...]:
        at = int(head.split(b" ")[1][1:] or b"0")
        return (to(f"/{at + 1}") if at < count else ok(html("the end")),)

    return steps


def _other_scheme(head: bytes, origin: str) -> tuple[Step, ...]:
    """To and fro between http and https, for ever."""
    scheme, _, host = origin.partition("://")
    return (to(f"{'https' if scheme == 'http' else 'http'}://{host}/"),)


LOOPS = (
    Fault(
        name="redirect-to-itself",
        steps=(to("/"),),
        ends="failed",
        reason="redirect_loop",
        because="ERR_TOO_MANY_REDIRECTS; curl fails with 47",
    ),
    Fault(
        name="redirect-to-its-fragment",
        steps=(to("#top"),),
        ends="failed",
        reason="redirect_loop",
        because="a fragment is not sent: it is the same request",
    ),
    Fault(
        name="redirect-in-a-ring",
        steps=lambda head, _: (to(b"/b" if b" /a " in head else b"/c" if b" /b " in head else b"/a"),),
        deep=True,
        ends="redirected",
        leads_to=("http://{name}/c", "failed", "redirect_loop"),
        because="ERR_TOO_MANY_REDIRECTS; curl fails with 47",
    ),
    Fault(
        name="redirects-20",
        steps=_hops(20),
        deep=True,
        ends="redirected",
        leads_to=("http://{name}/20", "fetched", None),
        because="Chromium, Firefox and the Fetch standard follow 20",
    ),
    Fault(
        name="redirects-21",
        steps=_hops(21),
        deep=True,
        ends="redirected",
        leads_to=("http://{name}/20", "failed", "redirect_loop"),
        because="the 21st is a network error (Fetch standard)",
    ),
    Fault(
        name="redirects-without-end",
        steps=_hops(1 << 40),
        deep=True,
        ends="redirected",
        leads_to=("http://{name}/20", "failed", "redirect_loop"),
        because="ERR_TOO_MANY_REDIRECTS",
    ),
    Fault(
        name="redirect-between-schemes",
        steps=_other_scheme,
        certificate="good",
        ends="redirected",
        leads_to=("https://{name}/", "failed", "redirect_loop"),
        because="ERR_TOO_MANY_REDIRECTS",
    ),
)

REFUSED = (
    _refused("redirect-to-a-file", "file:///etc/passwd"),
    _refused("redirect-to-a-script", "javascript:alert(1)"),
    _refused("redirect-to-data", "data:text/html,<h1>hello</h1>"),
    _refused("redirect-to-ftp", f"ftp://{DOMAIN}/"),
    _refused("redirect-to-about", "about:blank"),
    _refused("redirect-to-a-blob", "blob:http://redirect-to-a-blob.fault.test/7"),
    _refused("redirect-to-gopher", "gopher://127.0.0.1:6379/_FLUSHALL"),
    _refused("redirect-to-port-0", f"http://{DOMAIN}:0/", "ERR_UNSAFE_PORT; no server can be asked there"),
    _refused("redirect-to-port-99999", f"http://{DOMAIN}:99999/", "not a URL: ERR_INVALID_REDIRECT"),
    _refused("redirect-to-port-25", f"http://{DOMAIN}:25/", "a bad port (Fetch standard 2.9): ERR_UNSAFE_PORT"),
    _refused("redirect-to-port-6000", f"https://{DOMAIN}:6000/", "a bad port (Fetch standard 2.9): ERR_UNSAFE_PORT"),
    _refused("redirect-to-a-bad-host", "http://a b.fault.test/", "not a URL: ERR_INVALID_REDIRECT"),
    _refused("redirect-to-an-escaped-nul", "http://a%00.fault.test/", "not a URL: ERR_INVALID_REDIRECT"),
    _refused("redirect-to-a-bad-address", "http://[::1/", "not a URL: ERR_INVALID_REDIRECT"),
    _refused("redirect-to-a-bad-ipv4", "http://1.2.3.256/", "not a URL: ERR_INVALID_REDIRECT"),
    _refused("redirect-to-nobody", "http://", "not a URL: ERR_INVALID_REDIRECT"),
    _refused("redirect-empty", "", "Chromium counts no empty Location: its page is shown, and it is no success"),
    _refused("redirect-of-spaces", "   ", "as an empty one"),
    _refused("redirect-too-long", "/" + "x" * 60_000, "longer than any server takes; Chromium's own limit is 2 MB"),
    Fault(
        name="redirect-without-location",
        steps=(ok(html("nowhere"), status=b"HTTP/1.1 302 Found"),),
        ends="failed",
        reason="bad_redirect",
        attempts=1,
        because=_NOT_FOLLOWED,
    ),
    Fault(
        name="redirect-to-two-places",
        steps=(to("/here", 302, b"", b"Location: /there"),),
        ends="failed",
        reason="bad_redirect",
        attempts=1,
        because="ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION: it might be response splitting",
    ),
)

FOLLOWED = (
    *(
        Fault(
            name=f"redirect-{status}",
            steps=(to("/there", status),),
            ends="redirected",
            leads_to=("http://{name}/there", "fetched", None),
            because=_FOLLOWED,
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Fault(
        name="redirect-twice-to-one-place",
        steps=(to("/there", 302, b"", b"location: /there"),),
        ends="redirected",
        leads_to=("http://{name}/there", "fetched", None),
        because="Chromium minds only those that differ",
    ),
    _followed("redirect-relative", "there?q=1#x", "/there?q=1"),
    _followed("redirect-to-a-query", "?q=1", "/?q=1"),
    _followed("redirect-with-dots", "/a/../../b/./../there"),
    _followed("redirect-without-scheme", "//redirect-without-scheme.fault.test/there", because=_URL),
    _followed("redirect-with-backslashes", r"\\redirect-with-backslashes.fault.test\there", because=_URL),
    _followed("redirect-with-one-slash", "http:/there", because=_URL),
    _followed("redirect-with-three-slashes", "http:///redirect-with-three-slashes.fault.test/there", because=_URL),
    _followed("redirect-with-spaces-around", b" \t /there \t ", because="RFC 9110 section 5.5: they are no part of it"),
    _followed("redirect-with-spaces-within", "/over there", "/over%20there", _URL),
    _followed("redirect-in-utf-8", "/ünder", "/%C3%BCnder", "servers send raw UTF-8, and browsers take it"),
    _followed("redirect-in-latin-1", b"/\xfcnder", "/%C3%BCnder", "what is no UTF-8 is read as windows-1252"),
    _followed("redirect-escaped", "/%c3%bcnder", "/%C3%BCnder", _URL),
    _followed("redirect-with-a-stray-percent", "/100%", "/100%25", "sent as it is; canonically %25"),
    _followed("redirect-with-escaped-crlf", "/a%0d%0aX:y", "/a%0D%0AX:y", "escapes stay as they are"),
    _followed("redirect-in-capitals", "HTTP://REDIRECT-IN-CAPITALS.FAULT.TEST/there", because=_URL),
    _followed("redirect-to-a-final-dot", "http://redirect-to-a-final-dot.fault.test./there", because=_FOLLOWED),
    _followed("redirect-with-an-empty-port", "http://redirect-with-an-empty-port.fault.test:/there", because=_URL),
    _followed("redirect-to-port-80", "http://redirect-to-port-80.fault.test:80/there", because=_URL),
    _followed("redirect-to-port-8080", "http://b.fault.test:8080/there", "http://b.fault.test:8080/there"),
    _followed("redirect-as-somebody", "http://me:secret@redirect-as-somebody.fault.test/there", because=_URL),
    _followed(
        "redirect-by-a-false-name",
        "http://bank.example@redirect-by-a-false-name.fault.test/there",
        because="what stands before @ is no host",
    ),
    _followed(
        "redirect-by-a-false-slash",
        r"http://redirect-by-a-false-slash.fault.test\@bank.example/there",
        "/@bank.example/there",
        "a backslash ends the host (URL standard)",
    ),
    _followed("redirect-long", "/" + "x" * 15_000, "/" + "x" * 15_000),
    Fault(
        name="redirect-to-https",
        steps=lambda _, origin: (
            ok(html("safe")) if origin.startswith("https") else to(f"{origin[:4]}s{origin[4:]}/"),
        ),
        certificate="good",
        ends="redirected",
        leads_to=("https://{name}/", "fetched", None),
        because=_FOLLOWED,
    ),
    Fault(
        name="redirect-to-http",
        steps=lambda _, origin: (to(f"http{origin[5:]}/") if origin[4] == "s" else ok(html("plain")),),
        scheme="https",
        certificate="good",
        ends="redirected",
        leads_to=("http://{name}/", "fetched", None),
        because=_FOLLOWED,
    ),
    Fault(
        name="redirect-to-no-host",
        steps=(to("http://no..host/"),),
        ends="redirected",
        leads_to=("http://no..host/", "failed", "dns"),
        because="ERR_NAME_NOT_RESOLVED: no DNS name has an empty label",
    ),
    Fault(
        name="redirect-to-a-long-label",
        steps=(to(f"http://{'x' * 64}.example/"),),
        ends="redirected",
        leads_to=(f"http://{'x' * 64}.example/", "failed", "dns"),
        because="ERR_NAME_NOT_RESOLVED: no DNS label has 64 characters",
    ),
    Fault(
        name="redirect-to-a-bad-certificate",
        steps=(to("https://certificate-expired.fault.test/there"),),
        ends="redirected",
        because=_FOLLOWED,
    ),
)


def _with_body(name: str, *steps: Step, because: str) -> Fault:
    return Fault(
        name=name, steps=steps, ends="redirected", leads_to=("http://{name}/there", "fetched", None), because=because
    )


_HEAD = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n"
_BODY_UNREAD = "browsers do not read the body of a redirect"
BODIES = (
    _with_body("redirect-with-a-page", to("/there", 302, html("Found")), because=_BODY_UNREAD),
    _with_body("redirect-with-too-much", _HEAD + b"\r\n", Endless(b"x" * 65536, 30 << 20), because=_BODY_UNREAD),
    _with_body("redirect-announcing-too-much", _HEAD + b"Content-Length: 99999999999\r\n\r\n", because=_BODY_UNREAD),
    _with_body("redirect-with-half-a-body", _HEAD + b"Content-Length: 99\r\n\r\nhalf", because=_BODY_UNREAD),
    _with_body("redirect-then-reset", _HEAD + b"Content-Length: 99\r\n\r\nhalf", Reset(), because=_BODY_UNREAD),
    _with_body("redirect-then-silence", _HEAD + b"Content-Length: 99\r\n\r\nhalf", Silence(), because=_BODY_UNREAD),
    _with_body(
        "redirect-with-broken-chunks",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nno chunk\r\n",
        because=_BODY_UNREAD,
    ),
    _with_body(
        "redirect-with-broken-gzip",
        to("/there", 302, b"no gzip", b"Content-Encoding: gzip"),
        because=_BODY_UNREAD,
    ),
)

_STAYS = tuple(
    Fault(
        name=f"status-{status}-with-location",
        steps=(to("/there", status, html("choose")),),
        ends="failed",
        reason=f"http_{status}",
        because=_NOT_FOLLOWED,
    )
    for status in (300, 305, 306, 309, 399)
)

OTHERS = (
    *_STAYS,
    Fault(
        name="status-304-with-location",
        steps=(b"HTTP/1.1 304 Not Modified\r\nLocation: /there\r\n\r\n",),
        ends="failed",
        reason="http_304",
        because=_NOT_FOLLOWED,
    ),
    Fault(
        name="status-200-with-location",
        steps=(ok(html("shown"), b"Location: /there"),),
        text="shown",
        because="a Location is only a redirect's",
    ),
    Fault(
        name="refresh-header",
        steps=(ok(html("shown"), b"Refresh: 0; url=/there"),),
        text="shown",
        because="browsers show the page before they go on; where to is not an answer's but a document's to say",
    ),
    Fault(
        name="refresh-header-nonsense",
        steps=(ok(html("shown"), b"Refresh: ;;=0; url=javascript:alert(1)"),),
        text="shown",
        because="browsers ignore it",
    ),
)

REDIRECTS = LOOPS + REFUSED + FOLLOWED + BODIES + OTHERS
