"""The player page in a real browser, over HLS cut from the demo clip."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.browser import Browser, Page
from tests.console.site import HANG_UP, Answer, Site, moment, playlist

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANIFEST = "/recording.m3u8"
NO_MEDIA_SOURCE = """
    for (const name of ["MediaSource", "WebKitMediaSource", "ManagedMediaSource"])
        delete window[name];
"""

PLAYERS = pytest.mark.parametrize(
    "before", [pytest.param(None, id="hls.js"), pytest.param(NO_MEDIA_SOURCE, id="native")]
)

TROUBLES = {
    "refused 401": (Answer(status=401), "This link has expired"),
    "refused 403": (Answer(status=403), "This link has expired"),
    "gone 410": (Answer(status=410), "This link has expired"),
    "unknown 404": (Answer(status=404), "There is no recording here"),
    "no segments": (playlist(0), "There is no recording here"),
    "broken 500": (Answer(status=500), "The server has a problem"),
    "no answer": (HANG_UP, "The server can't be reached"),
    "not a manifest": (Answer(b"<html>hello</html>"), "This recording can't be played"),
}


async def open_player(
    browser: Browser, site: Site, manifest: Answer | Callable[[], Answer], before: str | None = None
) -> Page:
    site.routes[MANIFEST] = manifest
    return await browser.open(site.add_player(MANIFEST), before=before)


async def played_to(page: Page, position: float) -> None:
    await page.wait_for(f"video.currentTime > {position} && !video.paused")


async def trouble(page: Page) -> str:
    await page.wait_for("document.getElementById('trouble').checkVisibility()")
    title = await page.evaluate("document.getElementById('trouble-title').innerText")
    assert await page.evaluate("badge.innerText") == "Not playing"
    assert len(await page.evaluate("document.getElementById('trouble-text').innerText")) > 20
    return title


async def shown_moment(page: Page) -> tuple[float, float]:
    """Return the Unix time that the page shows, and the position that it belongs to."""
    await page.evaluate("video.pause()")
    await page.wait_for(
        "new Promise(done => {"
        " video.addEventListener('timeupdate', () => done(true), {once: true});"
        " video.currentTime += 0.001; })"
    )
    text, position = await page.evaluate("[clock.dateTime, video.currentTime]")
    return datetime.fromisoformat(text).timestamp(), position


@PLAYERS
async def test_a_recording_plays_from_where_its_manifest_says(browser, site, before):
    """Clips begin inside a segment; from its first frame a viewer would see the wrong moment."""
    page = await open_player(browser, site, playlist(start=7.0), before)
    await played_to(page, 8.5)
    assert await page.evaluate("video.played.start(0)") == pytest.approx(7.0, abs=0.1)
    assert await page.evaluate("[video.videoWidth, video.videoHeight]") == [1280, 720]
    assert await page.evaluate("video.webkitDecodedFrameCount") > 20
    assert await page.evaluate("video.webkitAudioDecodedByteCount") > 0
    assert await page.evaluate("badge.innerText") == "Recording"
    assert not await page.evaluate("document.getElementById('trouble').checkVisibility()")


@PLAYERS
async def test_the_page_asks_only_its_own_server_and_breaks_no_policy(browser, site, before):
    """A page with a token in its address must tell no one else, nor need a looser policy."""
    page = await open_player(browser, site, playlist(), before)
    await played_to(page, 0.5)
    assert {request.url for request in page.requests} >= {f"{site.origin}{MANIFEST}"}
    assert [r.url for r in page.requests if not r.url.startswith(f"{site.origin}/")] == []
    assert page.complaints == []


@PLAYERS
async def test_the_clock_shows_when_the_playing_moment_was_recorded(browser, site, before):
    """An investigator reads the time off this page; a gap in the recording must not shift it."""
    page = await open_player(browser, site, playlist(start=3.0), before)
    await played_to(page, 3.2)
    shown, position = await shown_moment(page)
    assert shown == pytest.approx(moment(position), abs=0.05)  # about a picture
    assert "Sep 13, 2020, 12:26:4" in await page.evaluate("clock.innerText")

    await page.evaluate("video.currentTime = 17.3; video.play()")
    await played_to(page, 17.4)
    shown, position = await shown_moment(page)
    assert shown == pytest.approx(moment(position), abs=0.05)  # about a picture
    assert "Sep 13, 2020, 1:26:5" in await page.evaluate("clock.innerText")


async def test_without_times_in_the_manifest_no_clock_is_shown(browser, site):
    """A made-up time of day would be believed."""
    lines = playlist().body.splitlines()
    bare = b"\n".join(line for line in lines if b"DATE-TIME" not in line)
    page = await open_player(browser, site, Answer(bare))
    await played_to(page, 0.5)
    assert not await page.evaluate("clock.checkVisibility()")


async def test_a_growing_recording_is_followed_until_it_ends(browser, site):
    """Who watches live must not be left at the end of what the first manifest listed."""
    asked = 0

    def grow() -> Answer:
        nonlocal asked
        asked += 1
        return playlist(min(2 + asked, 6), start=4.0, ended=asked >= 4)

    page = await open_player(browser, site, grow)
    await page.wait_for("badge.innerText === 'Live'")
    await played_to(page, 6.5)  # the first manifest ended at 6
    await page.wait_for("badge.innerText === 'Recording'")
    assert asked >= 4
    assert not await page.evaluate("document.getElementById('trouble').checkVisibility()")


async def test_the_player_waits_for_a_recording_that_has_only_begun(browser, site):
    """The link is made when the stream is; the first segment needs some seconds."""
    asked = 0

    def begin() -> Answer:
        nonlocal asked
        asked += 1
        return playlist(0, ended=False) if asked == 1 else playlist(3, start=0.0)

    page = await open_player(browser, site, begin)
    await page.wait_for("badge.innerText === 'Waiting for the server'")
    await played_to(page, 0.5)
    assert await page.evaluate("badge.innerText") == "Recording"


HICCUPS = pytest.mark.parametrize(
    "hiccup", [pytest.param(HANG_UP, id="hang up"), pytest.param(Answer(status=503), id="503")]
)


@HICCUPS
async def test_playing_goes_on_after_a_segment_failed_once(browser, site, hiccup):
    """A server that restarts must not end what somebody is watching."""
    real = site.routes["/segments/0.ts"]
    answers = iter([hiccup])
    site.routes["/segments/0.ts"] = lambda: next(answers, real)
    page = await open_player(browser, site, playlist())
    await played_to(page, 0.5)
    assert await page.evaluate("badge.innerText") == "Recording"


@HICCUPS
async def test_a_growing_recording_is_followed_after_the_server_was_away(browser, site, hiccup):
    """Who watches live must not have to reload the page after every restart of the server."""
    answers = iter([playlist(2, start=2.0, ended=False), hiccup, hiccup, hiccup])
    page = await open_player(browser, site, lambda: next(answers, playlist(4, start=2.0)))
    await page.wait_for("badge.innerText === 'Live'")
    await played_to(page, 4.5)
    assert await page.evaluate("badge.innerText") == "Recording"


@PLAYERS
@pytest.mark.parametrize("case", TROUBLES)
async def test_a_person_can_read_what_went_wrong(browser, site, case, before):
    """A black rectangle says nothing; an expired link is the commonest reason for one."""
    answer, title = TROUBLES[case]
    page = await open_player(browser, site, answer, before)
    assert await trouble(page) == title


async def test_a_link_that_expires_while_playing_says_so(browser, site):
    """Segments carry the token too, and a pause can outlive it."""
    for number in range(2, 15):
        site.routes[f"/segments/{number}.ts"] = Answer(status=403)
    page = await open_player(browser, site, playlist())
    assert await trouble(page) == "This link has expired"


async def test_segments_that_are_no_video_are_reported(browser, site):
    """Damaged files must not leave the viewer with an endless spinner."""
    for number in range(15):
        site.routes[f"/segments/{number}.ts"] = Answer(b"not video " * 1000)
    page = await open_player(browser, site, playlist())
    assert await trouble(page) == "This recording can't be played"


async def test_a_recording_of_another_server_is_refused_without_asking_it(browser, site):
    """A link could otherwise make our page call, or play, whatever its sender likes."""
    page = await browser.open(site.add_player("http://localhost:9/recording.m3u8"))
    assert await trouble(page) == "This recording is on another server"
    assert [r.url for r in page.requests if not r.url.startswith(f"{site.origin}/")] == []


async def test_try_again_loads_the_page_anew(browser, site):
    """When the server is back, the person in front of the page needs one click."""
    page = await open_player(browser, site, Answer(status=500))
    assert await trouble(page) == "The server has a problem"
    site.routes[MANIFEST] = playlist()
    await page.evaluate("again.click()")
    await page.wait_for("document.getElementById('video')?.currentTime > 0.2")


async def test_a_title_is_text_in_a_real_browser(browser, site):
    """Markup in a stream's name must be seen, not obeyed."""
    title = "<img src=/x onerror=\"document.title='hi'\"> & <script>document.title='hi'</script>"
    page = await browser.open(site.add_player(MANIFEST, title=title))
    assert await trouble(page) == "There is no recording here"
    assert await page.evaluate("document.querySelector('h1').innerText") == title
    assert await page.evaluate("document.title") == title
    assert f"{site.origin}/x" not in {request.url for request in page.requests}


async def test_in_a_small_frame_the_picture_fills_the_page(browser, site):
    """Embedded at 405 pixels, a header and a caption would push the picture out of sight."""
    page = await open_player(browser, site, playlist())
    await page.resize(720, 405)
    await played_to(page, 0.2)
    box = await page.evaluate(
        "(({x, y, width, height}) => [x, y, width, height])(video.getBoundingClientRect())"
    )
    assert box == [0, 0, 720, 405]
