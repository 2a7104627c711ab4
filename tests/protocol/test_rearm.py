"""What is noted of what publishes to us, and what takes whose place."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.rearm import AlertArm, Arm, Arms, IndexArm, Rearmed, TranscriptArm

SPEC = {"extraction_type": "time", "prompt": "Who is there?"}


def index(source: str = "i-1", **changes: Any) -> IndexArm:
    arm = IndexArm(
        rtstream_id="rts-1",
        channel="scene_index",
        source=source,
        connection_id="c-1",
        rearm="recreate",
        spec=SPEC,
    )
    return attrs.evolve(arm, **changes)


def transcript(stream: str, connection_id: str = "c-1") -> TranscriptArm:
    return TranscriptArm(
        rtstream_id=stream,
        channel="transcript",
        source="transcript",
        connection_id=connection_id,
        engine=None,
    )


def alert(source: str, connection_id: str = "c-1") -> AlertArm:
    return AlertArm(
        rtstream_id="rts-1",
        channel="alert",
        source=source,
        connection_id=connection_id,
        index_id="i-1",
        of="scene_index",
        event_id="e-1",
        callback_url="https://example.org/?secret=1",
    )


@pytest.fixture
def arms() -> Arms:
    return Arms()


def test_what_is_armed_is_found_by_stream_and_channel(arms: Arms):
    """A loss is recovered channel by channel."""
    first, second, heard = index("i-1"), index("i-2"), transcript("rts-1")
    for arm in (first, heard, second, transcript("rts-2")):
        arms.add(arm)
    assert arms.of("rts-1", "scene_index") == (first, second)
    assert arms.of("rts-1", "transcript") == (heard,)
    assert arms.of("rts-1", "alert") == ()
    assert arms.of_stream("rts-1") == (first, heard, second)
    assert len(arms.all()) == 4


def test_what_is_armed_again_by_hand_is_there_once(arms: Arms):
    """A transcript that is started twice must be restarted once after a loss."""
    arms.add(transcript("rts-1"))
    arms.add(transcript("rts-1", "c-2"))
    assert arms.all() == (transcript("rts-1", "c-2"),)
    assert arms.of("rts-1", "transcript") == (transcript("rts-1", "c-2"),)


def test_what_is_stopped_is_armed_no_longer_and_others_are(arms: Arms):
    """What a user stops must not be started again by a reconnect."""
    arms.add(transcript("rts-1"))
    arms.add(transcript("rts-2"))
    assert arms.remove("transcript", rtstream_id="rts-1") == transcript("rts-1")
    assert arms.remove("transcript", rtstream_id="rts-1") is None
    assert arms.of("rts-1", "transcript") == ()
    assert arms.all() == (transcript("rts-2"),)


def test_what_was_stopped_can_be_noted_again_when_it_is_started(arms: Arms):
    """An alert that is enabled again publishes to the id that it was made with."""
    arms.add(alert("a-1"))
    assert arms.wake("a-1", rtstream_id="rts-1") is None
    assert arms.known("a-1", rtstream_id="rts-1") == alert("a-1")
    arms.remove("a-1", rtstream_id="rts-1")
    assert arms.known("a-1", rtstream_id="rts-1") == alert("a-1")
    assert arms.known("a-1", rtstream_id="rts-2") is None
    assert arms.wake("a-1", rtstream_id="rts-1") == alert("a-1")
    assert arms.wake("a-1", rtstream_id="rts-1") is None


def test_what_is_armed_anew_does_not_rest_any_more(arms: Arms):
    """A transcript that was started again must not come back with the old connection id."""
    arms.add(transcript("rts-1"))
    arms.remove("transcript", rtstream_id="rts-1")
    arms.add(transcript("rts-1", "c-2"))
    assert arms.wake("transcript", rtstream_id="rts-1") is None


def test_every_old_id_leads_to_the_present_object(arms: Arms):
    """A handle from before the loss, or an id in a database, must still work."""
    arms.add(index("i-1"))
    assert arms.current("i-1") == "i-1"
    assert arms.lineage("i-1") == ("i-1",)
    assert arms.replace(index("i-1"), index("i-2"))
    assert arms.replace(index("i-2"), index("i-3"))
    for id_ in ("i-1", "i-2", "i-3"):
        assert arms.current(id_) == "i-3"
        assert arms.lineage(id_) == ("i-1", "i-2", "i-3")
        assert arms.present(index(id_)) == index("i-3")
    assert arms.of("rts-1", "scene_index") == (index("i-3"),)


def test_what_ended_long_ago_need_not_be_read_again(arms: Arms):
    """A link that was lost a thousand times must not be recovered by a thousand calls."""
    arms.add(index("i-1"))
    arms.replace(index("i-1"), index("i-2"), at=100.0)
    arms.replace(index("i-2"), index("i-3"), at=200.0)
    arms.replace(index("i-3"), index("i-4"))
    assert arms.lineage("i-1", since=100.0) == ("i-1", "i-2", "i-3", "i-4")
    assert arms.lineage("i-1", since=101.0) == ("i-2", "i-3", "i-4")
    assert arms.lineage("i-1", since=300.0) == ("i-3", "i-4")
    assert arms.lineage("other", since=300.0) == ("other",)


def test_what_is_told_another_id_keeps_its_own(arms: Arms):
    """A transcript has one name for ever."""
    arms.add(transcript("rts-1"))
    assert arms.replace(transcript("rts-1"), transcript("rts-1", "c-2"))
    assert arms.all() == (transcript("rts-1", "c-2"),)
    assert arms.lineage("transcript") == ("transcript",)


def test_replacing_a_second_time_changes_nothing(arms: Arms):
    """Who asks for something to be armed again notes the answer, as does who answers."""
    arms.add(alert("a-1"))
    arms.replace(alert("a-1"), alert("a-2", "c-2"))
    assert arms.replace(alert("a-1"), alert("a-2", "c-2"))
    assert arms.all() == (alert("a-2", "c-2"),)
    assert arms.lineage("a-1") == ("a-1", "a-2")


def test_an_answer_that_is_late_does_not_bring_back_what_was_replaced(arms: Arms):
    """Two losses in a row: the second answer is the one that holds."""
    arms.add(alert("a-1"))
    arms.replace(alert("a-1"), alert("a-2", "c-2"))
    arms.replace(alert("a-2", "c-2"), alert("a-3", "c-3"))
    assert arms.replace(alert("a-1"), alert("a-2", "c-2"))
    assert arms.all() == (alert("a-3", "c-3"),)
    assert arms.current("a-1") == "a-3"


def test_what_was_stopped_while_it_was_being_armed_again_stays_stopped(arms: Arms):
    """Who stops an index in that very moment wants it stopped, whatever its id is then."""
    arms.add(index("i-1"))
    arms.remove("i-1", rtstream_id="rts-1")
    assert not arms.replace(index("i-1"), index("i-2", connection_id="c-2"))
    assert arms.all() == ()
    assert arms.present(index("i-1")) is None
    assert arms.wake("i-1", rtstream_id="rts-1") == index("i-2", connection_id="c-2")


def test_what_was_replaced_is_stopped_by_its_old_id(arms: Arms):
    """`disable_alert(old_id)` is about the alert that is there now."""
    arms.add(alert("a-1"))
    arms.replace(alert("a-1"), alert("a-2", "c-2"))
    assert arms.remove("a-1", rtstream_id="rts-1") == alert("a-2", "c-2")
    assert arms.all() == ()


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), st.integers(0, 3))))
def test_what_is_found_by_channel_is_all_that_there_is(steps: list[tuple[str, int]]):
    """Both views are of one registry: what is in one and not in the other is never recovered."""
    arms = Arms()
    for made, (step, number) in enumerate(steps):
        root = f"i-{number}"
        match step:
            case "add":
                arms.add(index(arms.current(root)))
            case "remove":
                arms.remove(root, rtstream_id="rts-1")
            case _:
                arms.replace(index(root), index(f"{root}.{made}"))
    assert sorted(arms.all(), key=_source) == sorted(arms.of("rts-1", "scene_index"), key=_source)
    for arm in arms.all():
        assert arms.present(arm) == arm


def test_no_secret_is_shown():
    """Arms are logged; an address to post to may hold a password."""
    assert "secret" not in repr(alert("a-1"))
    assert len({index("i-1"), index("i-1"), index("i-2")}) == 2


def test_what_can_not_be_armed_has_a_reason():
    """Nothing is lost in silence."""
    answer = Rearmed(arm=None, reason="it was stopped")
    assert (answer.arm, answer.lost, answer.reason) == (None, None, "it was stopped")
    assert Arm(rtstream_id="s-1", channel="capture_session", source="s-1", connection_id="c-1")


def _source(arm: Arm) -> str:
    return arm.source
