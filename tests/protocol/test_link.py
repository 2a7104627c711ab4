"""The link's table, and the delays between attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.link import TRANSITIONS, Attempts, Link, LinkSignal, LinkState

SIGNALS = st.sampled_from(LinkSignal)
JITTER = st.floats(0, 1)


@given(st.lists(SIGNALS))
def test_a_rejected_signal_changes_nothing(signals: list[LinkSignal]):
    """A late frame after a reconnect must not corrupt the link."""
    link = Link()
    for signal in signals:
        before = (link.state, link.generation)
        if (link.state, signal) in TRANSITIONS:
            assert link.feed(signal) is before[0]
            assert link.state is TRANSITIONS[before[0], signal]
        else:
            with pytest.raises(RuntimeError, match=f"{signal.name} while {link.state.name}"):
                link.feed(signal)
            assert (link.state, link.generation) == before


@given(st.lists(SIGNALS))
def test_nothing_happens_to_a_closed_link(signals: list[LinkSignal]):
    """A socket that outlives the connection must not bring it back."""
    link = Link()
    link.feed(LinkSignal.CLOSE)
    for signal in signals:
        with pytest.raises(RuntimeError):
            link.feed(signal)
    assert link.state is LinkState.CLOSED


def test_every_state_can_be_reached_and_closed():
    """A state that nothing leads to would be a promise that nobody keeps."""
    reached, grew = {LinkState.IDLE}, True
    while grew:
        found = reached | {to for (at, _), to in TRANSITIONS.items() if at in reached}
        grew, reached = found != reached, found
    assert reached == set(LinkState)
    assert all(
        TRANSITIONS[state, LinkSignal.CLOSE] is LinkState.CLOSED
        for state in LinkState
        if state is not LinkState.CLOSED
    )


def test_live_is_reached_through_recovering_or_directly():
    """Recovery is to fit in without a change of the table."""
    link = Link(state=LinkState.RECONNECTING, generation=1)
    link.feed(LinkSignal.RECOVER)
    assert (link.state, link.generation) == (LinkState.RECOVERING, 2)
    assert link.state.has_connection_id
    link.feed(LinkSignal.RECOVERED)
    assert (link.state, link.generation) == (LinkState.LIVE, 2)
    direct = Link(state=LinkState.RECONNECTING, generation=1)
    direct.feed(LinkSignal.GREETED)
    assert (direct.state, direct.generation) == (LinkState.LIVE, 2)


CONNECTED = {state for state in LinkState if state.has_connection_id}


def test_a_link_that_had_a_connection_id_is_lost_before_anything_worse():
    """The loss opens the gap: who gave up, or was refused, at once would have hidden one."""
    ways_out = {
        signal
        for (at, signal), to in TRANSITIONS.items()
        if at in CONNECTED and to not in CONNECTED
    }
    assert ways_out == {LinkSignal.LOST, LinkSignal.CLOSE}
    for state in CONNECTED:
        assert TRANSITIONS[state, LinkSignal.LOST] is LinkState.RECONNECTING


@pytest.mark.parametrize("ending", [LinkSignal.GAVE_UP, LinkSignal.REFUSED])
def test_what_was_missing_can_be_recovered_after_the_link_gave_up(ending: LinkSignal):
    """A gap that is forgotten while nobody tries is a loss in silence."""
    link = Link(state=LinkState.LIVE, generation=1)
    for signal in (LinkSignal.LOST, ending, LinkSignal.RESUME, LinkSignal.RECOVER):
        link.feed(signal)
    assert (link.state, link.generation) == (LinkState.RECOVERING, 2)


@given(st.lists(SIGNALS))
def test_only_a_new_connection_id_is_a_new_generation(signals: list[LinkSignal]):
    """Messages carry it, to tell what came over which socket."""
    link = Link()
    for signal in signals:
        before = link.generation
        if (link.state, signal) in TRANSITIONS:
            link.feed(signal)
            is_new = signal in {LinkSignal.GREETED, LinkSignal.RECOVER}
            assert link.generation == before + is_new
            assert not is_new or link.state in CONNECTED


@pytest.mark.parametrize("signal", [LinkSignal.HEARD, LinkSignal.CLEARED])
def test_a_suspicion_ends_with_a_message_or_an_answer_of_rest(signal: LinkSignal):
    """A link that stays stale although all is well is a false alarm on every dashboard."""
    link = Link(state=LinkState.LIVE, generation=1)
    link.feed(LinkSignal.QUIET)
    assert (link.state, link.state.has_connection_id) == (LinkState.STALE, True)
    link.feed(signal)
    assert (link.state, link.generation) == (LinkState.LIVE, 1)


@pytest.mark.parametrize("state", LinkState)
def test_only_a_live_link_is_suspected(state: LinkState):
    """While a gap is being closed REST is read anyway."""
    assert ((state, LinkSignal.QUIET) in TRANSITIONS) == (state is LinkState.LIVE)


@pytest.mark.parametrize("state", LinkState)
def test_a_state_says_what_it_means(state: LinkState):
    """Who waits for a connection id must neither get an old one nor wait for one in vain."""
    assert state.has_connection_id == (
        state in {LinkState.LIVE, LinkState.STALE, LinkState.RECOVERING}
    )
    assert state.is_over == (
        state in {LinkState.SUSPENDED, LinkState.AUTH_FAILED, LinkState.CLOSED}
    )
    assert not (state.has_connection_id and state.is_over)


@given(lived=st.floats(3, 1e9), jitter=JITTER, failures=st.integers(0, 10_000))
def test_a_link_that_lasted_is_taken_up_again_within_a_quarter_second(
    lived: float, jitter: float, failures: int
):
    """Every second of waiting after a cut is a second of lost messages."""
    attempts = Attempts(failures=failures).lost(lived=lived)
    assert attempts.delay(jitter=jitter, down=0) <= 0.25
    assert attempts.failures == 0


@given(jitter=JITTER)
def test_the_first_retry_after_any_live_link_is_within_a_quarter_second(jitter: float):
    """One unlucky cut right after the start is no reason to wait."""
    assert Attempts().lost(lived=0.01).delay(jitter=jitter, down=0) <= 0.25


def test_accept_then_close_does_not_spin():
    """A service that takes connections and drops them must not be hammered."""
    attempts, ceilings = Attempts(), []
    for _ in range(12):
        attempts = attempts.lost(lived=0.5)
        ceilings.append(attempts.delay(jitter=1, down=3600))
    assert ceilings[:4] == [0.25, 0.5, 1.0, 2.0]
    assert ceilings == sorted(ceilings)
    assert ceilings[-1] == 60


def test_failed_attempts_wait_longer_and_longer():
    """A service that is down must get room to come up."""
    attempts, ceilings = Attempts().lost(lived=100), []
    for _ in range(10):
        attempts = attempts.failed()
        ceilings.append(attempts.delay(jitter=1, down=3600))
    assert ceilings[:4] == [0.5, 1.0, 2.0, 4.0]
    assert ceilings[-1] == 60


@given(
    history=st.lists(st.one_of(st.floats(0, 1e6), st.booleans())),
    jitter=JITTER,
    down=st.floats(0, 1e6),
    retry_after=st.none() | st.floats(0, 1e6),
)
def test_no_delay_is_negative_or_beyond_the_cap(
    history: list[float | bool], jitter: float, down: float, retry_after: float | None
):
    """However long an outage lasts, its end is noticed within a minute."""
    attempts = Attempts()
    for item in history:
        if isinstance(item, bool):
            attempts = attempts.failed(refused=item)
        else:
            attempts = attempts.lost(lived=item)
    assert 0 <= attempts.delay(jitter=jitter, down=down, retry_after=retry_after) <= 60


def test_the_service_s_own_wish_is_heeded():
    """A limited client that asks too early is limited longer."""
    assert Attempts().failed().delay(jitter=0, down=0, retry_after=7) == 7
    assert Attempts().failed().delay(jitter=1, down=0, retry_after=0.1) == 0.5


@given(failures=st.integers(0, 10_000), jitter=JITTER, down=st.floats(50, 1e6))
def test_waiting_adds_at_most_a_tenth_to_an_outage(failures: int, jitter: float, down: float):
    """A service that is back after a minute must not be missed for another one."""
    attempts = Attempts(failures=failures).failed()
    assert attempts.delay(jitter=jitter, down=down) <= down / 10


def test_a_short_outage_is_waited_out_in_steps_of_seconds():
    """Asking ten times a second would not bring it back sooner."""
    assert Attempts(failures=99).failed().delay(jitter=1, down=3) == 5


def test_two_refusals_in_a_row_latch():
    """A key that is wrong will not become right; a token may just have run out."""
    once = Attempts().failed(refused=True)
    assert not once.is_refused
    assert once.failed(refused=True).is_refused
    assert not once.failed().failed(refused=True).is_refused
    assert not once.lost(lived=0).failed(refused=True).is_refused
