from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.sources import (
    Source,
    SourceKind,
    parse_source,
    without_secrets,
)

GOOD = {
    "/media/a.mp4": Source(kind=SourceKind.FILE, url="/media/a.mp4"),
    "a b.mp4": Source(kind=SourceKind.FILE, url="a b.mp4"),
    "/media/a.mp4?loop=1": Source(kind=SourceKind.FILE, url="/media/a.mp4", loop=True),
    "/media/a.mp4?loop=0": Source(kind=SourceKind.FILE, url="/media/a.mp4"),
    "/media/what?.mp4": Source(kind=SourceKind.FILE, url="/media/what?.mp4"),
    "file:///media/a%20b.mp4?loop=1": Source(kind=SourceKind.FILE, url="/media/a b.mp4", loop=True),
    "file://localhost/a.mp4": Source(kind=SourceKind.FILE, url="/a.mp4"),
    "rtsp://cam/door": Source(kind=SourceKind.RTSP, url="rtsp://cam/door"),
    "RTSP://user:pass@cam:554/a?profile=1&x=%20y": Source(
        kind=SourceKind.RTSP, url="RTSP://user:pass@cam:554/a?profile=1&x=%20y"
    ),
    "rtmp://host/app/key": Source(kind=SourceKind.RTMP, url="rtmp://host/app/key"),
    "rtmp://127.0.0.1:1935/a/k?listen=1": Source(
        kind=SourceKind.RTMP, url="rtmp://127.0.0.1:1935/a/k", listen=True
    ),
    "rtmp://[::1]:1935/a/k?listen": Source(
        kind=SourceKind.RTMP, url="rtmp://[::1]:1935/a/k", listen=True
    ),
    "rtsp://localhost:8554/a?listen=true&p=2": Source(
        kind=SourceKind.RTSP, url="rtsp://localhost:8554/a?p=2", listen=True
    ),
    "rtmp://127.0.0.1:1935/a/k?listen=1&rtsp=8554": Source(
        kind=SourceKind.RTMP,
        url="rtmp://127.0.0.1:1935/a/k",
        listen=True,
        also=Source(kind=SourceKind.RTSP, url="rtsp://127.0.0.1:8554/a/k", listen=True),
    ),
    "rtmp://[::1]:1935/a?x=1&rtsp=8554&listen=1": Source(
        kind=SourceKind.RTMP,
        url="rtmp://[::1]:1935/a?x=1",
        listen=True,
        also=Source(kind=SourceKind.RTSP, url="rtsp://[::1]:8554/a", listen=True),
    ),
    "rtmp://host/app/key?rtsp=8554": Source(
        kind=SourceKind.RTMP, url="rtmp://host/app/key?rtsp=8554"
    ),
    "https://host/v.m3u8?token=a%2Fb": Source(
        kind=SourceKind.HTTP, url="https://host/v.m3u8?token=a%2Fb"
    ),
    "http://host/v.mp4?loop=yes&x=1": Source(
        kind=SourceKind.HTTP, url="http://host/v.mp4?x=1", loop=True
    ),
}

BAD = {
    "srt://host:1": "srt:// is no source",
    "javascript:alert(1)": "is no source",
    "rtsp:///door": "names no host",
    "file://server/share/a.mp4": "another machine",
    "rtmp://0.0.0.0:1935/a?listen=1": "only a loopback address",
    "rtmp://192.168.1.5:1935/a?listen=1": "only a loopback address",
    "rtmp://example.com:1935/a?listen=1": "only a loopback address",
    "rtmp://127.0.0.1/a?listen=1": "needs its port",
    "rtmp://127.0.0.1:99999/a?listen=1": "no number below 65536",
    "rtsp://[::1/door": "a host that can't be read",
    "rtsp://cam/door\r\nx: y": "a control character",
    " rtsp://cam/door": "a space at an end",
    "/media/a.mp4?loop=2": "loop= takes 1 or 0, not '2'",
    "rtmp://127.0.0.1:1935/a?listen=1&rtsp=": "rtsp= takes a port, not ''",
    "rtmp://127.0.0.1:1935/a?listen=1&rtsp=65536": "rtsp= takes a port, not '65536'",
    "rtmp://127.0.0.1:1935/a?listen=maybe": "listen= takes 1 or 0",
}


@pytest.mark.parametrize("url", GOOD)
def test_a_url_is_understood(url):
    """Signed addresses break when anything in them is rewritten."""
    assert parse_source(url) == GOOD[url]


@pytest.mark.parametrize("url", BAD)
def test_what_can_be_no_source_is_said_why(url):
    """The user sees this text and nothing else."""
    with pytest.raises(ValueError, match=BAD[url]):
        parse_source(url)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text):
    """The URL comes from a request's body."""
    try:
        source = parse_source(text)
    except ValueError:
        return
    assert isinstance(source.kind, SourceKind)


SHOWN = {
    "rtsp://user:pass@cam/door": "rtsp://cam/door",
    "can't open 'http://h/v.m3u8?token=t': gone": "can't open 'http://h/v.m3u8': gone",
    "/media/a.mp4": "/media/a.mp4",
}


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_has_no_secret(text):
    """Status texts and logs are read by more people than the key is given to."""
    assert without_secrets(text) == SHOWN[text]


def test_the_repr_of_a_source_has_no_secret():
    """It ends up in logs."""
    assert "pass" not in repr(parse_source("rtsp://user:pass@cam/door"))


def test_a_listener_may_have_two_addresses():
    """Whoever looks whether it is up must look at both."""
    source = parse_source("rtmp://127.0.0.1:1935/a/k?listen=1&rtsp=8554")
    assert source.addresses == ("rtmp://127.0.0.1:1935/a/k", "rtsp://127.0.0.1:8554/a/k")
    assert parse_source("rtsp://cam/door").addresses == ("rtsp://cam/door",)
