from __future__ import annotations

import pytest

from rtstream_async.local.domain.endpoints import origin_of, parse_endpoint


@pytest.mark.parametrize(
    ("text", "base", "host"),
    [
        ("http://127.0.0.1:8000#m", "http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000/#m", "http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000/v1#m", "http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("https://API.openai.com:443/v1/#m", "https://api.openai.com/v1", "api.openai.com"),
        ("https://host/api/v3#m", "https://host/api/v3", "host"),
        ("http://[::1]:80/v1#m", "http://[::1]/v1", "[::1]"),
    ],
)
def test_an_address_may_leave_v1_out_and_no_other_path(text, base, host):
    """Both spellings are in use, and some services have a path of their own."""
    address = parse_endpoint("vision", text)
    assert (address.base_url, address.host) == (base, host)
    assert address.named("m") == f"openai:m@{host}"


@pytest.mark.parametrize(
    ("kind", "fragment", "usual", "models"),
    [
        ("vision", "qwen/Qwen2-VL:7b", "qwen/Qwen2-VL:7b", {}),
        ("vision", "a,pro=b", "a", {"pro": "b"}),
        ("vision", "mini=a,basic=b,pro=c", "b", {"mini": "a", "basic": "b", "pro": "c"}),
        ("vision", "pro=c,mini=a", "c", {"pro": "c", "mini": "a"}),
        ("vision", "odd=name", "odd=name", {}),
        ("speech", "whisper-1", "whisper-1", {}),
        ("embedding", "query=q,passage=p", "p", {"query": "q", "passage": "p"}),
    ],
)
def test_models_are_named_for_tiers_and_roles(kind, fragment, usual, models):
    """`model_name="pro"` of an index must reach the model that is meant, and cost as much."""
    address = parse_endpoint(kind, f"http://h#{fragment}")
    assert (address.model, address.models) == (usual, models)
    for role, model in models.items():
        assert address.model_for(role) == model
    assert address.model_for("ultra") == usual
    assert address.model_for(None) == usual


def test_options_are_read_as_what_they_are():
    """A timeout that is text would be found with the first request."""
    text = "http://h/v1?timeout=5&retries=0&concurrency=2&detail=low&max_tokens=99&temperature=0#m"
    assert parse_endpoint("vision", text).options == {
        "timeout": 5.0,
        "retries": 0,
        "concurrency": 2,
        "detail": "low",
        "max_tokens": 99,
        "temperature": 0.0,
    }
    text = "http://h?language=de&longest=10#m"
    assert parse_endpoint("speech", text).options == {"language": "de", "longest": 10.0}
    text = "http://h?query_prefix=query:%20&input_type=yes#m"
    assert parse_endpoint("embedding", text).options == {
        "query_prefix": "query: ",
        "input_type": "yes",
    }


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("vision", "", "write it as"),
        ("vision", "qwen", "write it as"),
        ("vision", "ftp://geheim#m", "write it as"),
        ("vision", "http:///v1#m", "write it as"),
        ("vision", "http://geheim:port#m", "is no URL"),
        ("vision", "http://[geheim#m", "is no URL"),
        ("vision", "http://user:geheim@h#m", "RTSTREAM_VISION_API_KEY"),
        ("speech", "http://geheim@h#m", "RTSTREAM_SPEECH_API_KEY"),
        ("vision", "http://h/a b#m", "a space"),
        ("vision", "http://h", "names no model"),
        ("vision", "http://h#", "names no model"),
        ("vision", "http://h#,", "names no model"),
        ("vision", "http://h#pro=", "names no model"),
        ("vision", "http://h#pro=a,pro=b", "names no model, or two"),
        ("vision", "http://h#a,b", "two models, 'a' and 'b'; write mini=...,basic="),
        ("speech", "http://h#a,b", "there is one for speech"),
        ("vision", "http://h?speed=1#m", "'speed'; allowed: timeout, retries"),
        ("vision", "http://h?detail=huge#m", "should be one of low, high, auto"),
        ("vision", "http://h?timeout=0#m", "a number from 0.1 to 3600"),
        ("vision", "http://h?timeout=nan#m", "a number from 0.1 to 3600"),
        ("vision", "http://h?timeout=#m", "a number from 0.1 to 3600"),
        ("vision", "http://h?retries=1.5#m", "a whole number from 0 to 10"),
        ("vision", "http://h?concurrency=0#m", "a whole number from 1 to 50"),
        ("vision", "http://h?concurrency=51#m", "a whole number from 1 to 50"),
    ],
)
def test_what_can_not_be_used_is_said_before_the_server_starts(kind, text, problem):
    """Else every record of the first hour says so instead."""
    with pytest.raises(ValueError, match=problem.replace("'", ".")) as caught:
        parse_endpoint(kind, text)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com"),
        ("https://api.openai.com:443", "https://api.openai.com"),
        ("http://api.openai.com:443", "http://api.openai.com:443"),
        ("api.openai.com", ""),
        ("//host", ""),
        ("http://h:x", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    """A key is bound to it."""
    assert origin_of(url) == origin


def test_the_host_of_an_address_has_no_brackets():
    """It is compared with names of this machine."""
    assert parse_endpoint("vision", "http://[::1]:8000/v1#m").hostname == "::1"
