"""The router against a naive model."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rtstream_async.models.messages import CaptureMessage, SceneMessage, UnknownMessage
from rtstream_async.protocol import router as router_module
from rtstream_async.protocol.router import Key, Router, keys_of, subject_of

STREAMS = st.sampled_from(["a", "b", "c"])
CHANNELS = st.sampled_from(["x", "y"])
MAYBE_STREAMS = st.none() | st.frozensets(STREAMS, min_size=1)
MAYBE_CHANNELS = st.none() | st.frozensets(CHANNELS, min_size=1)


class RouterMachine(RuleBasedStateMachine):
    """Whatever comes and goes, and however the cache is filled: the answer is the model's."""

    def __init__(self) -> None:
        super().__init__()
        self.router: Router[int, str] = Router(str)
        self.model: dict[int, tuple[Key, ...]] = {}
        self.next = 0

    @rule(streams=MAYBE_STREAMS, channels=MAYBE_CHANNELS)
    def add(self, streams, channels):
        keys = keys_of(streams, channels)
        self.router.add(self.next, keys)
        self.model[self.next] = keys
        self.next += 1

    @rule(streams=MAYBE_STREAMS, channels=MAYBE_CHANNELS, nth=st.integers(0, 10))
    def add_more_keys(self, streams, channels, nth):
        if nth not in self.model:
            return
        keys = keys_of(streams, channels)
        self.router.add(nth, keys)
        self.model[nth] += keys

    @rule(nth=st.integers(0, 10))
    def remove(self, nth):
        self.router.remove(nth, self.model.pop(nth, (("a", "x"),)))

    @rule()
    def clear(self):
        self.router.clear()
        self.model.clear()

    @rule(stream=STREAMS, channel=CHANNELS)
    def ask_of_stream(self, stream, channel):
        answer = self.router.of_stream(stream, channel)
        assert len(answer) == len(set(answer))
        assert set(answer) == {
            target
            for target, keys in self.model.items()
            if (stream, channel) in keys or (stream, None) in keys
        }

    @rule(stream=st.none() | STREAMS | st.just("other"), channel=CHANNELS | st.just("other"))
    def ask(self, stream, channel):
        answer = self.router.targets(stream, channel)
        assert len(answer) == len(set(answer))
        assert set(answer) == {
            target
            for target, keys in self.model.items()
            if any(s in (None, stream) and c in (None, channel) for s, c in keys)
        }

    @invariant()
    def forgets_what_is_gone(self):
        kept = len(self.router._only) + len(self.router._several)
        assert kept <= len({k for keys in self.model.values() for k in keys})


RouterMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestRouter = RouterMachine.TestCase


@given(MAYBE_STREAMS, MAYBE_CHANNELS)
def test_keys_are_all_pairs(streams, channels):
    """A missing pair is a subscription that is silently deaf."""
    keys = keys_of(streams, channels)
    assert set(keys) == {(s, c) for s in streams or [None] for c in channels or [None]}
    assert len(keys) == len(set(keys))


def test_to_remove_what_is_not_there_changes_nothing():
    """A subscription may be closed twice: by hand, and by the collector."""
    router: Router[str, str] = Router(str)
    router.add("here", [("a", "x")])
    router.remove("gone", [("a", "x"), ("b", "x"), (None, None)])
    assert router.targets("a", "x") == ("here",)


def test_a_key_is_forgotten_with_the_last_of_its_targets():
    """Streams come and go for months; what is kept of them must not pile up."""
    router: Router[str, str] = Router(str)
    for target in ("first", "second", "second"):
        router.add(target, [("a", "x")])
    assert router.targets("a", "x") == ("first", "second")
    for target in ("second", "first", "first"):
        router.remove(target, [("a", "x")])
    assert router.targets("a", "x") == ()
    assert not router._only
    assert not router._several


def test_one_coming_and_going_leaves_the_others_answers():
    """Else ten thousand subscriptions cost ten thousand look-ups at each change."""
    router: Router[str, str] = Router(str)
    router.add("first", [("a", "x")])
    router.add("second", [("b", "x")])
    kept = router.targets("a", "x")
    router.targets("b", "x")
    router.add("third", [("b", "x")])
    assert router.targets("a", "x") is kept
    router.remove("second", [("b", "x")])
    assert router.targets("a", "x") is kept
    assert router.targets("b", "x") == ("third",)


def test_answers_for_foreign_ids_are_bounded(monkeypatch):
    """A service that invents ids must not fill the memory."""
    monkeypatch.setattr(router_module, "_MAX_STREAMS_CACHED", 10)
    monkeypatch.setattr(router_module, "_MAX_CHANNELS_CACHED", 5)
    router: Router[str, str] = Router(str)
    router.add("all", [(None, None)])
    asked = [(f"s{i}", "x") for i in range(50)] + [("s", f"c{i}") for i in range(50)]
    for stream, channel in asked:
        assert router.targets(stream, channel) == ("all",)
        assert len(router.routes) <= 5
        assert all(len(streams) <= 10 for streams in router.routes.values())


def test_a_message_of_a_session_is_about_the_session():
    """Capture frames name no stream; without this, `session.events()` would hear all sessions."""
    of_stream = SceneMessage(channel="scene_index", rtstream_id="rts-1", start=1.0, end=2.0)
    of_session = CaptureMessage(channel="capture_session", session_id="cap-1")
    both = CaptureMessage(channel="capture_session", session_id="cap-1", rtstream_id="rts-1")
    of_nobody = UnknownMessage(channel="")
    assert [subject_of(m) for m in (of_stream, of_session, both, of_nobody)] == [
        "rts-1",
        "cap-1",
        "rts-1",
        None,
    ]


def test_a_key_that_had_several_targets_has_none_when_all_have_left():
    """A monitor whose streams come and go for a year must not keep what they leave."""
    router: Router[int, str] = Router(str)
    for target in (1, 2):
        router.add(target, [("a", "x")])
    assert router.targets("a", "x") == (1, 2)
    for target in (1, 2):
        router.remove(target, [("a", "x")])
    assert router.targets("a", "x") == ()
    router.add(3, [("a", "x")])
    assert router.targets("a", "x") == (3,)
    router.remove(3, [("a", "x")])
    assert router.targets("a", "x") == ()


def test_a_note_is_taken_with_the_route_and_again_when_it_changes():
    """A track that is opened late would never see what is pushed."""
    notes = {("a", "x"): 1}
    router: Router[str, int | None] = Router(notes.get)
    router.add("target", [("a", None)])
    assert router.route("a", "x").note == 1
    notes["a", "x"] = 2
    assert router.routes["x"]["a"].note == 1
    router.forget(("a", "x"))
    assert (router.route("a", "x").note, router.targets("a", "x")) == (2, ("target",))
