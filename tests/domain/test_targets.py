from __future__ import annotations

import pytest

from rtstream_async.local.domain.targets import is_loopback, parse_targets


@pytest.mark.parametrize(
    ("pattern", "host", "port", "fits"),
    [
        ("example.com", "example.com", 443, True),
        ("Example.COM.", "example.com", 443, True),
        ("example.com", "EXAMPLE.com.", 8080, True),
        ("example.com", "www.example.com", 443, False),
        ("example.com:8443", "example.com", 8443, True),
        ("example.com:8443", "example.com", 443, False),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "badexample.com", 443, False),
        ("*.example.com:80", "a.example.com", 81, False),
        ("10.0.0.5", "10.0.0.5", 80, True),
        ("10.0.0.5:80", "10.0.0.5", 81, False),
        ("10.0.0.0/8", "10.200.1.2", 80, True),
        ("10.0.0.7/8", "10.200.1.2", 80, True),
        ("10.0.0.0/8", "11.0.0.1", 80, False),
        ("10.0.0.0/8", "ten.example.com", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:80", "::1", 81, False),
        ("fd00::/8", "fd12::3", 80, True),
        ("*.0.0.1", "127.0.0.1", 80, False),
        (" localhost ", "localhost", 80, True),
        ("127.0.0.1", "2130706433", 80, False),
        ("127.0.0.1", "0x7f.1", 80, False),
    ],
)
def test_a_pattern_allows_what_it_says_and_no_more(pattern, host, port, fits):
    """Whoever may name webhooks gets into the server's network through every loose match."""
    assert parse_targets([pattern]).allow(host, port) is fits


def test_without_a_list_all_is_allowed_and_with_an_empty_one_nothing():
    """An empty list is not "no limit"."""
    assert parse_targets(None).allow("example.com", 443)
    assert not parse_targets([]).allow("example.com", 443)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "a.*.com",
        "*.",
        "http://a.com",
        "a.com/x",
        "a b",
        "a.com:",
        "a.com:0",
        "a.com:65536",
        "a.com:http",
        "user@a.com",
        "[::1",
        "10.0.0.0/33",
        ".a.com",
        "a..com",
        "bücher.example",
    ],
)
def test_what_is_no_pattern_is_refused(pattern):
    """A limit that silently fits nothing, or all, is found out too late."""
    with pytest.raises(ValueError, match="is no host"):
        parse_targets([pattern])


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("a.com", False),
    ],
)
def test_this_machine_is_known_by_name_or_address(host, is_ours):
    """No proxy, and no other machine, is in between."""
    assert is_loopback(host) is is_ours
