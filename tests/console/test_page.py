"""What the player page says, as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.console import CONTENT_SECURITY_POLICY, player_page, static_dir

NASTY = (
    "\"><script src=//evil.test/x.js></script><img src=x onerror='alert(1)'> & $title ${manifest}"
)


class Reader(HTMLParser):
    """Reads tags with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(title: str = "t", description: str | None = None, manifest_url: str = "/m") -> Reader:
    return Reader(player_page(title=title, description=description, manifest_url=manifest_url))


PLAIN = [tag for tag, _ in page(description="d").tags]


@settings(deadline=None)  # a busy machine is no failure
@given(title=st.text(), description=st.text(min_size=1), manifest=st.text())
def test_no_value_changes_the_structure_of_the_page(title, description, manifest):
    """A stream's name comes from whoever made it; as markup it could act for the viewer."""
    assert [tag for tag, _ in page(title, description, manifest).tags] == PLAIN


def test_values_arrive_as_they_were_given():
    """A viewer must see the name that the stream has, with its quotes and ampersands."""
    got = page(NASTY, NASTY, f"/m.m3u8?token={NASTY}")
    by_tag = dict(got.tags)
    assert by_tag["main"]["data-manifest"] == f"/m.m3u8?token={NASTY}"
    assert by_tag["video"]["aria-label"] == NASTY
    assert got.texts.count(NASTY) == 3  # the window's title, the heading, the description


@pytest.mark.parametrize("description", [None, ""])
def test_without_a_description_there_is_no_empty_paragraph(description):
    """An empty paragraph is read aloud as a blank by a screen reader."""
    assert all(
        attrs.get("class") != "description" for _, attrs in page(description=description).tags
    )


def test_everything_the_page_loads_is_in_the_static_folder():
    """A file that is missing from the package is a black page for every user."""
    base = "/somewhere/static"
    reader = Reader(player_page(title="t", description=None, manifest_url="/m", static_base=base))
    loaded = [
        url
        for tag, attrs in reader.tags
        if tag in {"script", "link", "img"}
        and (url := attrs.get("src") or attrs.get("href")) is not None
    ]
    assert len(loaded) == 5
    for url in loaded:
        assert url.startswith(f"{base}/")
        assert (static_dir() / url.removeprefix(f"{base}/")).is_file()


def test_the_policy_allows_nothing_inline_and_no_other_host():
    """One `unsafe-inline` or one foreign host, and an escaping mistake becomes an attack."""
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert not re.search(r"\*|https?:", CONTENT_SECURITY_POLICY)


def test_the_vendored_player_carries_its_licence():
    """Redistributing hls.js without its licence text would break its terms."""
    text = (static_dir() / "hls.light.min.js.LICENSE").read_text()
    assert "Copyright (c) 2017 Dailymotion" in text
    assert "Copyright (c) 2014 Arnout Kazemier" in text
