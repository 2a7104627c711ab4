import pytest

from rtstream_async.errors import AuthenticationError, InvalidArgumentError
from rtstream_async.protocol.settings import api_key, base_url, extra_headers

ENV = {"VIDEO_DB_API_KEY": "sk-env", "VIDEO_DB_BASE_URL": "http://env:1/"}
KNOWN = ("api_key", "session_token", "base_url", "timeout", "retries", "http_client", "headers")


@pytest.mark.parametrize(
    ("key", "token", "environment", "expected"),
    [
        ("sk-1", "st-1", ENV, "sk-1"),  # row 3
        ("", "st-1", ENV, "st-1"),  # row 4
        (None, "st-1", {}, "st-1"),  # row 2
        (None, None, ENV, "sk-env"),  # row 7
        ("", "", ENV, "sk-env"),
        ("  sk-1\n", None, {}, "sk-1"),  # from a file
    ],
)
def test_the_credential_is_found_where_the_reference_looks(key, token, environment, expected):
    """A ported program must not begin to run on somebody else's account."""
    assert api_key(key, token, environment) == expected


@pytest.mark.parametrize("key", [None, "", " "])
def test_a_missing_key_is_an_authentication_error(key):
    """Rows 8 and 9: the official class; an empty key is sent by the official SDK."""
    with pytest.raises(AuthenticationError, match="VIDEO_DB_API_KEY") as caught:
        api_key(key, None, {})
    assert caught.value.status == 0


@pytest.mark.parametrize(
    "key", ["sk-secret\nx: y", "sk secret", "sk-\u00e9secret", "sk-\x00secret"]
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(key):
    """An HTTP library would quote it in its own error, and so in a log."""
    with pytest.raises(InvalidArgumentError, match="printable") as caught:
        api_key(key, None, {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        (None, {}, "https://api.videodb.io"),
        (None, ENV, "http://env:1"),
        ("http://127.0.0.1:8787/", ENV, "http://127.0.0.1:8787"),  # row 6
        ("https://proxy/videodb//", {}, "https://proxy/videodb"),
        ("http://[::1]:80", {}, "http://[::1]:80"),
    ],
)
def test_the_address_is_found_and_has_no_slash_at_its_end(url, environment, expected):
    """Two slashes are another path."""
    assert base_url(url, environment) == expected


@pytest.mark.parametrize(
    "url",
    [
        "api.videodb.io",  # row 308
        "localhost:8787",
        "ftp://x",
        "https://",
        "https://:80",
        "http://x:99999",
        "http://x:abc",
        "http://[::1",
        "https://user:pw@x",
        "https://x?y=1",
        "https://x#y",
    ],
)
def test_an_address_that_is_none_is_refused(url):
    """Found where it is written, and not with the first call."""
    with pytest.raises(InvalidArgumentError) as caught:
        base_url(url, {})
    assert caught.value.argument == "base_url"
    assert "pw" not in str(caught.value)


def test_a_wrong_address_of_the_environment_is_named():
    """Who did not write `base_url` must not be told of it."""
    with pytest.raises(InvalidArgumentError, match="VIDEO_DB_BASE_URL"):
        base_url(None, {"VIDEO_DB_BASE_URL": "nowhere"})


def test_unknown_options_become_headers():
    """Row 5."""
    assert extra_headers(None, {"org_id": "o-1", "Trace_Level": 3}, KNOWN) == {
        "x-org-id": "o-1",
        "x-trace-level": "3",
    }
    assert extra_headers({"X-Team": "t"}, {}, KNOWN) == {"x-team": "t"}


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("time_out", "timeout"),
        ("apikey", "api_key"),
        ("retry", "retries"),
        ("access_token", "session_token"),
    ],
)
def test_a_misspelt_argument_is_no_header(option, meant):
    """`time_out=5` would be sent to the service, and nothing would time out."""
    with pytest.raises(TypeError, match=meant):
        extra_headers(None, {option: 5}, KNOWN)


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        ({"X-Access-Token": "x"}, {}),
        ({}, {"videodb_client": "x"}),
        ({"x y": "z"}, {}),
        ({"x": "a\r\nb: c"}, {}),
        ({"x": 5}, {}),
        ({}, {"note": "caf\u00e9"}),
    ],
)
def test_a_header_that_can_not_be_is_refused(headers, options):
    """A line break in a header is another header."""
    with pytest.raises(InvalidArgumentError, match="headers"):
        extra_headers(headers, options, KNOWN)
