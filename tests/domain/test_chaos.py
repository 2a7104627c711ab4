"""What goes wrong on purpose: decided by a plan and by chance, and by nothing else."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections import Counter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local.domain.chaos import (
    GARBAGE_KINDS,
    ChaosPlan,
    HandshakeFault,
    RestFault,
    change,
    check_close_code,
    next_cut,
    record_lag,
)
from rtstream_async.local.domain.chaos_frames import Fate, Line, RawText, decide
from rtstream_async.local.domain.chaos_rules import Rules

shares = st.floats(0, 1)
seconds = st.floats(0, 100)
chances = st.floats(0, 1, exclude_max=True)
plans = st.builds(
    ChaosPlan,
    delay=seconds,
    delay_jitter=seconds,
    drop=shares,
    duplicate=shares,
    reorder=shares,
    reorder_within=seconds,
    garbage=shares,
    garbage_bytes=st.just(100),
)


def dice(values):
    """Chance that is no chance: these values, again and again."""
    return itertools.cycle(values).__next__


def never():
    raise AssertionError("chance was asked for")


def test_a_new_plan_does_nothing_and_asks_for_no_chance():
    """Chaos that nobody asked for must not cost a frame, nor a number of the generator."""
    plan = ChaosPlan()
    assert not plan.touches_frames
    assert not plan.hides_records
    assert next_cut(plan, never) is None
    assert decide(plan, "x", never) == Fate(copies=((0.0, "x"),))


@given(plans, st.lists(chances, min_size=1))
def test_a_frame_is_lost_or_sent_and_what_happened_is_told(plan, values):
    """A test accounts by these words: one missing, and a loss looks like the client's fault."""
    fate = decide(plan, "frame", dice(values))
    told = Counter(fate.faults)
    assert max(told.values(), default=1) == 1
    payloads = [payload for _, payload in fate.copies]
    if told["dropped"]:
        assert fate.faults == ("dropped",)
        assert payloads == []
        return
    assert payloads.count("frame") == 1 + told["duplicated"]
    assert len(payloads) == 1 + told["duplicated"] + told["garbage"]
    assert fate.is_in_order is not bool(told["reordered"])
    longest = plan.delay + plan.delay_jitter + plan.reorder_within
    assert all(0 <= delay <= longest + 1e-9 for delay, _ in fate.copies)
    if not told["delayed"] and not told["reordered"]:
        assert {delay for delay, _ in fate.copies} == {0.0}


@given(st.lists(chances, min_size=1))
def test_what_is_certain_happens_and_what_is_impossible_does_not(values):
    """`drop=1` in a test means every frame, and 0 none, whatever the seed."""
    assert decide(ChaosPlan(drop=1), "x", dice(values)).copies == ()
    fate = decide(ChaosPlan(duplicate=1, garbage=1, reorder=1), "x", dice(values))
    assert fate.faults == ("reordered", "garbage", "duplicated")
    assert decide(ChaosPlan(delay=1), "x", dice(values)) == Fate(
        copies=((1, "x"),), faults=("delayed",)
    )


@pytest.mark.parametrize("number", range(len(GARBAGE_KINDS)))
def test_garbage_is_of_the_kind_it_is_called(number):
    """Each kind breaks another part of a reader."""
    kind = GARBAGE_KINDS[number]
    plan = ChaosPlan(garbage=1, garbage_bytes=5000)
    chance = iter([0.0, (number + 0.5) / len(GARBAGE_KINDS)]).__next__
    (_, garbage), (_, frame) = decide(plan, "frame", chance).copies
    assert frame == "frame"
    match kind:
        case "binary":
            assert isinstance(garbage, bytes)
        case "utf8":
            assert isinstance(garbage, RawText)
            with pytest.raises(UnicodeDecodeError):
                garbage.data.decode()
        case "list":
            assert isinstance(json.loads(garbage), list)
        case _:
            assert len(garbage) == 5000 or kind == "text"
            with pytest.raises(json.JSONDecodeError):
                json.loads(garbage)


@given(
    st.lists(st.tuples(st.floats(0, 10), st.lists(seconds, max_size=3), st.booleans())),
    st.randoms(use_true_random=False),
)
def test_a_line_loses_nothing_and_keeps_the_order_of_all_that_was_not_reordered(frames, rng):
    """A late frame is late; it is neither lost nor doubled by being held back."""
    line, now, number, taken = Line(), 0.0, 0, []
    in_order, due = [], {}
    for step, delays, is_in_order in frames:
        now += step
        copies = [(delay, f"{number + n}") for n, delay in enumerate(delays)]
        number += len(copies)
        line.put(Fate(copies=tuple(copies), is_in_order=is_in_order), now)
        due |= {payload: now + delay for delay, payload in copies}
        in_order += [payload for _, payload in copies] if is_in_order else []
        if rng.random() < 0.5:
            went = line.take(now)
            assert all(due[payload] <= now for payload in went)
            taken += went
            assert line.next_at is None or line.next_at > now
    assert len(line) == number - len(taken)
    taken += line.take(math.inf)
    assert line.next_at is None
    assert sorted(taken) == sorted(due)
    assert [payload for payload in taken if payload in set(in_order)] == in_order


@given(st.floats(0.01, 100), seconds, chances)
def test_cuts_come_every_so_often_and_never_without_a_pause(every, jitter, chance):
    """A cut in each turn of the loop would leave no time to connect at all."""
    plan = ChaosPlan(cut_every=every, cut_jitter=jitter)
    after = next_cut(plan, lambda: chance)
    assert 0.05 <= after <= max(0.05, every + jitter)
    assert after >= every - jitter


@given(seconds, seconds, chances)
def test_a_record_is_late_by_the_lag_and_up_to_the_jitter(lag, jitter, chance):
    """A test waits for exactly so long until it counts a record as lost."""
    plan = ChaosPlan(history_lag=lag, history_jitter=jitter)
    assert plan.hides_records is (lag > 0 or jitter > 0)
    assert lag <= record_lag(plan, lambda: chance) <= lag + jitter


def test_only_some_sockets_can_be_meant():
    """The neighbour of the socket that suffers shows whether the server is healthy."""
    assert ChaosPlan().is_meant("conn-1")
    assert ChaosPlan(connection_ids=["conn-1"]).is_meant("conn-1")
    assert not ChaosPlan(connection_ids=("conn-1",)).is_meant("conn-2")


def test_a_change_leaves_the_rest_as_it_is():
    """Each step of a test says only what is new in it."""
    plan = change(ChaosPlan(), {"drop": 0.25, "rest": [{"status": 429, "retry_after": 1}]})
    plan = change(
        plan, {"delay": 1, "handshakes": [HandshakeFault(kind="mute"), {"kind": "stall"}]}
    )
    assert plan == ChaosPlan(
        drop=0.25,
        delay=1,
        rest=(RestFault(status=429, retry_after=1),),
        handshakes=(HandshakeFault(kind="mute"), HandshakeFault(kind="stall")),
    )
    assert change(plan, {"rest": [], "handshakes": ()}) == ChaosPlan(drop=0.25, delay=1)
    assert change(plan, attrs.asdict(plan)) == plan


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("dorp", {"dorp": 1}),
        ("drop", {"drop": 1.1}),
        ("drop", {"drop": True}),
        ("drop", {"drop": "0.5"}),
        ("drop", {"drop": None}),
        ("delay", {"delay": -1}),
        ("delay", {"delay": math.nan}),
        ("delay", {"delay": math.inf}),
        ("seed", {"seed": 1.5}),
        ("seed", {"seed": False}),
        ("garbage_bytes", {"garbage_bytes": 0}),
        ("garbage_kinds", {"garbage_kinds": []}),
        ("garbage_kinds", {"garbage_kinds": ["soup"]}),
        ("garbage_kinds", {"garbage_kinds": [[]]}),
        ("garbage_kinds", {"garbage_kinds": "text"}),
        ("cut_how", {"cut_how": "saw"}),
        ("cut_how", {"cut_how": {}}),
        ("close_code", {"close_code": 1005}),
        ("close_code", {"close_code": 5000}),
        ("close_code", {"close_code": "1000"}),
        ("connection_ids", {"connection_ids": [1]}),
        ("connection_ids", {"connection_ids": "conn-1"}),
        ("rest", {"rest": {"status": 500}}),
        ("rest[0]", {"rest": [500]}),
        ("rest[0].status", {"rest": [{}]}),
        ("rest[0].status", {"rest": [{"status": 200}]}),
        ("rest[1].staus", {"rest": [{"slow": 1}, {"staus": 500}]}),
        ("rest[0].reset", {"rest": [{"status": 500, "reset": True}]}),
        ("rest[0].reset", {"rest": [{"reset": 1}]}),
        ("rest[0].method", {"rest": [{"slow": 1, "method": "FETCH"}]}),
        ("rest[0].path", {"rest": [{"slow": 1, "path": ""}]}),
        ("rest[0].path", {"rest": [{"slow": 1, "path": 5}]}),
        ("rest[0].times", {"rest": [{"slow": 1, "times": -1}]}),
        ("rest[0].probability", {"rest": [{"slow": 1, "probability": 2}]}),
        ("rest[0].retry_after", {"rest": [{"slow": 1, "retry_after": "soon"}]}),
        ("handshakes[0].kind", {"handshakes": [{}]}),
        ("handshakes[0].kind", {"handshakes": [{"kind": "slap"}]}),
        ("handshakes[0].seconds", {"handshakes": [{"kind": "stall", "seconds": -1}]}),
    ],
)
def test_a_wrong_field_is_named(field, changes):
    """A misspelt fault that passed for none would be a test that can't fail."""
    with pytest.raises(InvalidArgumentError) as caught:
        change(ChaosPlan(), changes)
    assert caught.value.argument == field


@given(st.integers(0, 6000))
def test_a_close_code_is_one_that_a_peer_may_send(code):
    """The library below refuses the others in the middle of the goodbye."""
    from websockets.exceptions import ProtocolError
    from websockets.frames import Close

    try:
        Close(code, "").check()
    except ProtocolError:
        with pytest.raises(InvalidArgumentError):
            check_close_code("code", code)
    else:
        check_close_code("code", code)


def test_a_call_meets_the_first_fault_that_fits():
    """A pattern that is too wide would break the call that the test does not mean."""
    rules = Rules[RestFault]()
    assert not rules
    of_scenes = RestFault(method="GET", path="/rtstream/*/index/scene/*", status=500)
    of_all = RestFault(slow=1)
    rules.adopt([of_scenes, of_all])
    assert rules

    def meets(method, path):
        return rules.choose(lambda rule: rule.fits(method, path), lambda: 0.0)

    assert meets("GET", "/rtstream/rts-1/index/scene/abc") is of_scenes
    assert meets("POST", "/rtstream/rts-1/index/scene/abc") is of_all
    assert meets("GET", "/rtstream/rts-1") is of_all


@given(st.integers(0, 5), st.integers(0, 10))
def test_a_fault_is_met_so_many_times_and_goes_on_counting(times, before):
    """A rule that began again with every change of another one would never end."""
    rule = HandshakeFault(kind="refuse", times=times)
    rules = Rules[HandshakeFault]()
    rules.adopt([rule])

    def met(count):
        return sum(rules.choose(lambda _: True, lambda: 0.5) is rule for _ in range(count))

    first = met(before)
    rules.adopt([rule, HandshakeFault(kind="mute", probability=0)])
    assert first + met(10) == times


@given(st.integers(0, 2**32), shares)
def test_chance_decides_in_the_long_run_as_it_was_told(seed, probability):
    """A share of 0.1 that is a share of 0.9 makes another test of it."""
    rules = Rules[RestFault]()
    rules.adopt([RestFault(status=503, probability=probability)])
    chance = random.Random(seed).random
    met = sum(rules.choose(lambda _: True, chance) is not None for _ in range(400))
    assert abs(met / 400 - probability) < 0.15
