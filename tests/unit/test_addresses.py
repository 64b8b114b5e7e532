"""Which addresses are of the public internet: a table by hand, and Python's own beside it."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from crawler.addresses import carried_by, is_in, purpose

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("128.0.0.0", "168.63.129.15", "169.253.255.255", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0"),
    *("192.31.196.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2001:200::", "2001:4860:4860::8888", "2606:4700::1111", "2a00::1", "3ffe::1", "3fff:1000::"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"),
]
SPECIAL = {
    "unspecified": ["0.0.0.0", "::"],
    "this network": ["0.0.0.1", "0.255.255.255"],
    "loopback": ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"],
    "private": ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
    "shared": ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
    "link-local": ["169.254.0.0", "169.254.170.2", "fe80::1", "fe80::1%eth0", "febf::1"],
    "cloud metadata": ["169.254.169.254", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"],
    "reserved": [
        *("192.0.0.0", "192.0.0.192", "192.88.99.1", "240.0.0.0", "255.255.255.254", "2001:1::1", "2001:20::1"),
        *("::ffff:0:7f00:1", "1::", "4000::", "5f00::1", "f000::1", "2001:10::1"),
    ],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", "3fff:fff::1"],
    "benchmarking": ["198.18.0.0", "198.19.255.255", "2001:2::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "broadcast": ["255.255.255.255"],
    "unique-local": ["fc00::1", "fdff::1"],
    "site-local": ["fec0::1"],
    "discard-only": ["100::1"],
    "IPv4-compatible": ["::7f00:1", "::127.0.0.1", "::8.8.8.8"],
    "local NAT64": ["64:ff9b:1::7f00:1", "64:ff9b:1::808:808"],
    "127.0.0.1 (loopback) by IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:7f00:1"],
    "169.254.169.254 (cloud metadata) by IPv4-mapped": ["::ffff:a9fe:a9fe"],
    "10.0.0.1 (private) by NAT64": ["64:ff9b::a00:1"],
    "192.168.1.1 (private) by 6to4": ["2002:c0a8:101::1"],
    "127.0.0.1 (loopback) by Teredo": ["2001:0:808:808::80ff:fffe", "2001:0:7f00:1::f7f7:f7f7"],
    "no IP address": ["", "localhost", "0x7f.1", "0177.0.0.1", "2130706433", "127.1", "[::1]"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_nothing_special(address):
    assert purpose(address) is None


@pytest.mark.parametrize(("told", "address"), [(told, address) for told, of in SPECIAL.items() for address in of])
def test_every_other_address_is_told_by_what_it_is_for(told, address):
    assert purpose(address) == told


#: what Python 3.11 to 3.14 call global, all or some of them, and what is not public here
STRICTER = [
    *("224.0.0.0/4", "192.88.99.0/24", "192.0.0.0/24", "168.63.129.16/32"),
    *("ff00::/8", "fec0::/10", "2001::/23", "::/96", "3fff::/20", "5f00::/16", "64:ff9b:1::/48", "100::/64"),
]
CARRIERS = ["::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/32"]
UNICAST = ip_network("2000::/3")


def edges():
    """Both ends of every network that either of us knows, and what is beside them."""
    known = [n for table in (PUBLIC, *SPECIAL.values()) for n in table if n[:1].isdigit() or ":" in n]
    numbers = [(type(parsed), int(parsed)) for text in known if (parsed := _parsed(text))]
    rng = random.Random(7)
    for kind, number in numbers:
        for step in (-1, 0, 1, -256, 256, -65536, 65536, *(rng.randint(-(2**20), 2**20) for _ in range(40))):
            if 0 <= number + step < 2 ** (32 if kind is IPv4Address else 128):
                yield kind(number + step)
    for _ in range(5000):
        yield IPv4Address(rng.getrandbits(32))
        yield IPv6Address(rng.getrandbits(128))


def _parsed(text):
    try:
        return ip_address(text)
    except ValueError:
        return None


def test_python_calls_nothing_private_that_is_public_here():
    """But for what only carries a public address, which old versions do not look into."""
    for address in edges():
        if purpose(str(address)) is None and not any(address in ip_network(net) for net in CARRIERS):
            assert address.is_global, address


def test_python_calls_nothing_global_that_is_not_public_here_but_for_what_is_listed():
    for address in edges():
        if address.is_global and purpose(str(address)) is not None:
            listed = any(address in ip_network(net) for net in (*STRICTER, *CARRIERS))
            assert listed or (address.version == 6 and address not in UNICAST), address


def test_what_is_carried_is_read_where_its_rfc_puts_it():
    carried = {
        "::ffff:192.0.2.33": ("IPv4-mapped", ["192.0.2.33"]),
        "64:ff9b::192.0.2.33": ("NAT64", ["192.0.2.33"]),  # RFC 6052 section 2.4
        "2002:c000:221::1": ("6to4", ["192.0.2.33"]),
        "2001:0:4136:e378:8000:63bf:3fff:fdd2": ("Teredo", ["65.54.227.120", "192.0.2.45"]),  # of its article
    }
    for text, (name, inner) in carried.items():
        assert carried_by(IPv6Address(text)) == (name, tuple(IPv4Address(each) for each in inner))


def test_an_address_is_in_a_network_by_itself_or_by_all_it_carries():
    networks = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert [is_in(text, networks) for text in ("10.1.2.3", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1")] == [
        True
    ] * 4
    assert [is_in(text, networks) for text in ("11.0.0.1", "fc00::1", "::ffff:11.0.0.1", "x")] == [False] * 4
    assert not is_in("2001:0:a00:1::f7f7:f7f7", networks)  # its client is elsewhere
