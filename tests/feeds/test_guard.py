"""Which addresses may be fetched, in every notation a stranger may think of."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.fetch_errors import AddressError, FetchError, ForbiddenAddressError
from bot.feeds.guard import ForbiddenSocketError, Guard, GuardedResolver, is_public, shown_url

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "64:ff9b::808:808",  # NAT64 of 8.8.8.8
    "2002:808:808::1",  # 6to4 of 8.8.8.8
]
PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # v4-compatible
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",  # v4-translated
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    "2001:db8::1",
    "3fff::1",
    "2600::5efe:7f00:1",  # ISATAP
    "2600::200:5efe:a00:1",
    "5f00::1",
    "100::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_all_others_do_not(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_no_better_than_itself(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for carrier in (0xFFFF << 32 | number, number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        if not is_public(address):
            assert not is_public(ipaddress.IPv6Address(carrier))


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0/",
        "http://127.0.0.1./",
        "http://127.0.0.01/",
        "http://1.2.3.4.5/",
        "http://256.256.256.256/",
        "http://0xA9FEA9FE/",
        "http://a.b.0x7f/",
        "http://１２７.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://127.0.0.1%2f@example.org/",
        "http://%31%32%37.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:7f00:0001]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.168.0.1:8080/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "javascript:alert(1)",
        "data:text/xml,<rss/>",
        "//example.org/",
        "example.org",
        "",
        "http://",
        "http:///feed",
        "http://:80/",
        "http://user:secret@example.org/",
        "http://user@example.org/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org:port/",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org/\r\nX: y",
        "http://exam\x00ple.org/",
        "http://..example.org/",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 130}example/",
        "http://example.org/" + "x" * 5000,
        "http://[::1/",
        "http://\u202eexample.org\u2066/",
    ],
)
def test_what_must_not_be_asked_for_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(FetchError) as refused:
        Guard().check_url(url)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
    assert isinstance(refused.value, AddressError | ForbiddenAddressError)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTP://EXAMPLE.org:80/Feed?b=2&a=1#top", "http://example.org/Feed?b=2&a=1"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://example.org/a%2Fb?q=%26", "https://example.org/a%2Fb?q=%26"),
        ("http://foo_bar.example.org/", "http://foo_bar.example.org/"),
        ("https://1e100.net/", "https://1e100.net/"),
        ("https://xn--p1ai.example:8443/", "https://xn--p1ai.example:8443/"),
        ("http://[2606:4700:4700::1111]/", "http://[2606:4700:4700::1111]/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
    ],
)
def test_what_may_be_asked_for_stays_as_it_is(url: str, asked: str) -> None:
    assert str(Guard().check_url(url)) == asked


@given(st.text(max_size=60), st.sampled_from(["http://", "https://", "", "http://127."]))
def test_no_address_makes_the_guard_stumble(rest: str, start: str) -> None:
    try:
        url = Guard().check_url(start + rest)
    except FetchError:
        return
    assert url.scheme in ("http", "https")
    assert url.host
    assert not url.user
    assert not url.fragment
    # What came out is accepted again, and stays what it is.
    assert Guard().check_url(str(url)) == url


def test_the_operators_own_networks_may_be_fetched() -> None:
    guard = Guard([ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")])
    assert str(guard.check_url("http://127.0.0.1:8000/")) == "http://127.0.0.1:8000/"
    assert guard.allows_text("::ffff:127.0.0.1")
    assert guard.allows_text("fd00::1")
    assert not guard.allows_text("10.0.0.1")
    with pytest.raises(AddressError):
        guard.check_url("http://0x7f000001/")  # disguise is refused even where it leads to what is allowed


def test_the_socket_is_refused_whatever_the_name_was() -> None:
    with pytest.raises(ForbiddenSocketError):
        Guard().socket_factory((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    with pytest.raises(ForbiddenSocketError):
        Guard().socket_factory((socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%lo", 80, 0, 1)))
    made = Guard().socket_factory((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80)))
    made.close()


async def test_a_name_keeps_only_its_public_addresses() -> None:
    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in {"mixed": ["10.0.0.1", "8.8.8.8"], "inside": ["10.0.0.1"]}[host]
        ]

    resolver = GuardedResolver(Guard(), lookup)
    assert [found["host"] for found in await resolver.resolve("mixed", 80)] == ["8.8.8.8"]
    with pytest.raises(ForbiddenSocketError):
        await resolver.resolve("inside", 80)


def test_shown_addresses_hold_no_secrets_and_no_second_line() -> None:
    assert shown_url("https://u:p@example.org/a?key=1#x") == "https://example.org/a?…"
    assert "\n" not in shown_url("https://example.org/\nfake log line")
    for foreign in (
        "ftp://a.example/[here](https://evil.example/)",
        "x:[here](https://evil.example)",
        "https://[a](<@1>",
    ):
        assert not set("[]<>`|") & set(shown_url(foreign)), "it makes no link and mentions nobody"
    assert shown_url("http://[2001:db8::1]:80/a_b") == "http://[2001:db8::1]:80/a_b"
