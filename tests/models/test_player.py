import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.exports import RTStreamExportResult
from rtstream_async.models.player import embed_code, player_page

SHAPE = {"width": "100%", "height": 405, "title": "Player", "allow_fullscreen": True}


def test_a_watch_page_is_embedded():
    """The service's own pages refuse to be framed under `/watch`."""
    assert embed_code("https://p.test/watch?v=slug", **SHAPE) == (
        '<iframe src="https://p.test/embed?v=slug" width="100%" height="405" title="Player"'
        ' frameborder="0" allowfullscreen></iframe>'
    )


def test_any_other_page_is_framed_as_it_is():
    """The local server's player has no second form."""
    shape = SHAPE | {"allow_fullscreen": False, "width": 640}
    code = embed_code("http://127.0.0.1:1/player?a=1&b=2", **shape)
    assert 'src="http://127.0.0.1:1/player?a=1&amp;b=2" width="640"' in code
    assert "allowfullscreen" not in code


def test_a_title_cannot_break_out_of_the_frame():
    """Names of streams come from strangers."""
    code = embed_code("https://p.test/x", **(SHAPE | {"title": '"><script>'}))
    assert "<script>" not in code


@pytest.mark.parametrize(
    ("url", "shape", "argument"),
    [
        (None, {}, "player_url"),
        ("", {}, "player_url"),
        ("https://p.test/x", {"height": 0}, "height"),
        ("https://p.test/x", {"height": True}, "height"),
        ("https://p.test/x", {"height": "9"}, "height"),
    ],
)
def test_what_cannot_be_shown_is_refused(url, shape, argument):
    """An empty frame on a page tells its visitors nothing."""
    with pytest.raises(InvalidArgumentError) as caught:
        embed_code(url, **(SHAPE | shape))
    assert caught.value.argument == argument


def test_an_export_can_be_embedded():
    """Sound alone has no page."""
    result = RTStreamExportResult(video_id="m-1", player_url="https://p.test/watch?v=1")
    assert "https://p.test/embed?v=1" in result.get_embed_code(height=100)
    with pytest.raises(InvalidArgumentError):
        RTStreamExportResult(video_id="a-1").get_embed_code()


def test_a_stream_without_a_page_is_played_by_the_services_own():
    """`play()` has to open something."""
    assert player_page("https://s.test/a.m3u8?t=1", None) == (
        "https://console.videodb.io/player?url=https://s.test/a.m3u8%3Ft%3D1"
    )
    assert player_page("https://s.test/a.m3u8", "https://p.test/1") == "https://p.test/1"
