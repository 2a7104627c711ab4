"""Exported videos, what is said in them, and their shots, by the official SDK."""

from __future__ import annotations

import warnings
import webbrowser

import pytest
from videodb.exceptions import InvalidRequestError, SearchError

from tests.local.engines import beeps
from tests.official.driving import drives, is_id, until
from tests.official.test_streams import duration, page_of


def export(coll, source, *media_types):
    """Record a source to its end, and export it."""
    stream = coll.connect_rtstream(
        source, source, media_types=list(media_types), store=True, enable_transcript=False
    )
    until(lambda: coll.get_rtstream(stream.id).status == "stopped")
    return stream.export().video_id


@pytest.fixture(scope="module")
def video(coll):
    """A video in which five beeps are said, in two sentences."""
    made = coll.get_video(export(coll, "clip.mp4", "video", "audio"))
    made.index_spoken_words()
    return made


@pytest.fixture
def opened(monkeypatch):
    """What the SDK opens in the browser."""
    pages = []
    monkeypatch.setattr(webbrowser, "open", lambda url: pages.append(url) or True)
    return pages


@drives(
    "Collection.get_video",
    "Collection.get_videos",
    "Collection.delete_video",
    "Video.update",
    "Video.delete",
)
def test_videos_are_listed_renamed_and_deleted(coll, video):
    """Newest first; what is deleted is gone."""
    first = coll.get_video(export(coll, "short.mp4", "video"))
    assert is_id("m", first.id)
    assert (first.collection_id, first.name) == (coll.id, "short.mp4 - Recording")
    assert first.length == pytest.approx(1, abs=0.2)
    assert [item.id for item in coll.get_videos()][:2] == [first.id, video.id]
    first.update(name="The door")
    assert coll.get_video(first.id).name == first.name == "The door"
    first.delete()
    assert first.id not in [item.id for item in coll.get_videos()]
    with pytest.raises(InvalidRequestError, match="no video"):
        coll.get_video(first.id)
    second = coll.get_video(export(coll, "short.mp4", "video"))
    coll.delete_video(second.id)
    with pytest.raises(InvalidRequestError, match="no video"):
        coll.delete_video(second.id)


@drives("Video.index_spoken_words", "Video.generate_transcript")
def test_an_index_is_made_once_or_by_force(video):
    """A second one costs as much as the first, so nobody gets it by accident."""
    with pytest.raises(InvalidRequestError, match="already exists"):
        video.index_spoken_words()
    assert video.index_spoken_words(force=True, language_code="en") is None
    assert video.generate_transcript() == {
        "success": True,
        "message": "Transcript generated successfully",
    }


@drives("Video.get_transcript", "Video.get_transcript_text")
def test_what_is_said_in_a_video_is_read(video):
    """By words, sentences or stretches of time, in seconds from its start."""
    words = video.get_transcript()
    assert len(words) == 5
    assert words[0].keys() >= {"start", "end", "text"}
    assert words[0]["start"] == pytest.approx(0.3, abs=0.15)
    sentences = video.get_transcript(segmenter="sentence")
    assert [len(beeps(sentence["text"])) for sentence in sentences] == [3, 2]
    assert sentences[1]["start"] == pytest.approx(2.0, abs=0.15)
    stretches = video.get_transcript(segmenter="time", length=2)
    assert len(stretches) == 2
    assert len(video.get_transcript(start=1, end=4)) == 2
    assert len(beeps(video.get_transcript_text())) == 5
    assert len(beeps(video.get_transcript_text(start=1))) == 2


@drives(
    "Video.search",
    "Video.legacy_search",
    "Video.semantic_search",
    "SearchResult.get_shots",
    "SearchResult.compile",
    "SearchResult.play",
    "SearchResult.get_embed_code",
    "SearchResponse.get_shot_results",
    "SearchResponse.get_shots",
    "SearchResponse.compile",
    "SearchResponse.play",
    "SearchResponse.get_embed_code",
)
def test_what_is_said_in_a_video_is_found(coll, video, opened):
    """By all three searches: of 0.4, of 0.5, and by meaning alone."""
    said = video.get_transcript(segmenter="sentence")[1]["text"]
    newer = video.search(said, top_k=1)
    assert newer.response_type == "shots"
    older = video.search(said, result_threshold=1)
    legacy = video.legacy_search(said, result_threshold=1)
    meant = video.semantic_search(said, index_names=["spoken_words"], top_k=1)
    for result in (newer, older, legacy, meant):
        (shot,) = result.get_shots()
        assert (shot.video_id, shot.video_title, shot.text) == (video.id, video.name, said)
        assert shot.start == pytest.approx(2.0, abs=0.15)
        assert 0 < shot.search_score <= 1
    for result in (newer, meant):  # whole segments are played, of two seconds here
        assert shot.end - shot.start <= duration(result.compile()) <= 2.2
    assert newer.get_shot_results().collection_id == coll.id
    page_of(newer.get_embed_code())
    page_of(legacy.get_embed_code())
    assert [newer.play(), legacy.play()] == opened


def test_what_is_not_said_is_not_found(coll, video):
    """400 by the older search, an empty list by the newer ones: as recorded."""
    nonsense = "quarterly xylophone maintenance"
    with pytest.raises(InvalidRequestError, match="No results found"):
        video.legacy_search(nonsense, search_type="keyword")
    with pytest.raises(InvalidRequestError, match="No results found"):
        coll.search(nonsense, search_type="semantic", score_threshold=0.99)
    newer = video.search(nonsense, score_threshold=0.99)
    assert len(newer) == 0
    with pytest.raises(SearchError):
        newer.compile()
    assert len(video.semantic_search(nonsense, score_threshold=0.99)) == 0


@drives("Collection.search", "Collection.semantic_search")
def test_all_videos_of_a_collection_are_searched(coll, video):
    """Also a video that nobody listened to yet: it is warned of, not refused."""
    said = video.get_transcript(segmenter="sentence")[0]["text"]
    for result in (
        coll.search(said, top_k=1),
        coll.search(said, result_threshold=1),
        coll.semantic_search(said, top_k=1),
    ):
        assert [shot.video_id for shot in result.get_shots()] == [video.id]
    silent = coll.get_video(export(coll, "short.mp4", "video"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert len(silent.search("beep")) == 0
    assert "index_spoken_words" in str(warned[0].message)
    with pytest.raises(InvalidRequestError, match="index_spoken_words"):
        silent.legacy_search("beep")
    with pytest.raises(InvalidRequestError, match="no index"):
        video.semantic_search("beep", index_names="faces")


@drives(
    "Video.generate_stream",
    "Video.play",
    "Video.get_embed_code",
    "Video.insert_video",
    "Shot.generate_stream",
    "Shot.play",
    "Shot.get_embed_code",
)
def test_videos_and_their_shots_are_played(coll, video, opened):
    """Whole, in parts, one within the other; from pages too."""
    fresh = coll.get_video(video.id)
    assert fresh.generate_stream() == fresh.stream_url
    assert duration(fresh.stream_url) == pytest.approx(4, abs=0.2)
    page_of(fresh.get_embed_code())
    parts = fresh.generate_stream(timeline=[(0.0, 1.0), (2.0, 3.0)])
    assert 2 <= duration(parts) <= 4.2  # of whole segments
    assert 8 <= duration(video.insert_video(video, 2.0)) <= 8.4
    (shot,) = video.legacy_search(video.get_transcript_text(), result_threshold=1)
    clip = shot.generate_stream()
    assert clip == shot.stream_url
    shot.stream_url = None
    assert shot.end - shot.start <= duration(shot.generate_stream()) <= 4.2
    page_of(shot.get_embed_code())
    assert [fresh.play(), shot.play()] == opened


@drives(
    "Collection.get_audio",
    "Collection.get_audios",
    "Collection.delete_audio",
    "Audio.generate_url",
    "Audio.generate_transcript",
    "Audio.get_transcript",
    "Audio.get_transcript_text",
    "Audio.delete",
)
def test_sound_alone_is_read_and_fetched(coll):
    """It is no video, and has its own calls."""
    audio = coll.get_audio(export(coll, "sound.mp4", "audio"))
    assert is_id("a", audio.id)
    assert [item.id for item in coll.get_audios()] == [audio.id]
    assert audio.id not in [item.id for item in coll.get_videos()]
    assert audio.generate_url().startswith("http://127.0.0.1")
    audio.generate_transcript()
    assert len(audio.get_transcript()) == 5
    assert len(beeps(audio.get_transcript_text())) == 5
    audio.delete()
    assert coll.get_audios() == []
    with pytest.raises(InvalidRequestError, match="no audio"):
        coll.delete_audio(audio.id)
