"""Everything goes wrong in every order, and each message is accounted for."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.guarantees.books import faults
from tests.guarantees.process import PATIENCE, Process, served
from tests.guarantees.world import World

EXAMPLES = int(os.environ.get("RTSTREAM_GUARANTEES_EXAMPLES", "0"))
"""More of them, and other ones each time: for a long run by hand."""

FEW = settings(
    max_examples=EXAMPLES or 5,
    stateful_step_count=24,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # what depends on time can't be shrunk
    suppress_health_check=list(HealthCheck),
)
INDEXED = ("door", "yard", "lab")
PACES = (0.0, 0.005, 0.02)
POLICIES = ("drop_oldest", "drop_newest", "latest", "error", "block")


@pytest.fixture(scope="module")
def loop():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def process(loop):
    stack = AsyncExitStack()
    process = loop.run(stack.enter_async_context(served()))
    yield process
    loop.run(stack.aclose())


class Life(RuleBasedStateMachine):
    """A client's life: messages come, and users do what users do."""

    loop: asyncio.Runner
    process: Process
    happened: Counter[str]

    def __init__(self):
        super().__init__()
        self.world = World(self.process, AsyncExitStack())
        self.opened = 0

    @initialize()
    def open(self):
        self.do(self.world.open())

    def do(self, work):
        async def guarded():
            async with asyncio.timeout(PATIENCE):
                return await work

        return self.loop.run(guarded())

    @property
    def others(self):
        return [one for one in self.world.listeners[1:] if not one.is_closed]

    @rule(how=st.sampled_from(["final", "final", "partial"]), apart=st.sampled_from(PACES))
    def speak(self, how, apart):
        self.do(self.world.say("hall", how, "words", 5, apart))

    @rule(
        name=st.sampled_from(INDEXED),
        words=st.sampled_from(["a cat", "a person waves"]),
        apart=st.sampled_from(PACES),
    )
    def show(self, name, words, apart):
        self.do(self.world.say(name, "scene", words, 5, apart))

    @rule()
    def capture(self):
        self.do(self.world.capture())

    @rule(seconds=st.sampled_from([0.0, 0.02, 0.1, 0.4]))
    def wait(self, seconds):
        self.do(asyncio.sleep(seconds))

    @precondition(lambda self: len(self.others) < 4)
    @rule(
        name=st.sampled_from(["hall", *INDEXED]),
        maxsize=st.sampled_from([2, 8, 1000]),
        overflow=st.sampled_from(POLICIES),
        pace=st.sampled_from([0.0, 0.01, None]),
    )
    def subscribe(self, name, maxsize, overflow, pace):
        self.opened += 1
        title = f"{self.opened}: {name}, {overflow} of {maxsize}, {pace}"
        channels = ("transcript",) if name == "hall" else ("scene_index", "alert")
        options = {"maxsize": maxsize, "overflow": overflow, "pace": pace or 0.0}
        listener = self.do(self._listen(title, name, channels, options))
        if pace is None:
            listener.may_read.clear()

    async def _listen(self, title, name, channels, options):
        return self.world.listen(title, name, channels, **options)

    @precondition(lambda self: self.others)
    @rule()
    def unsubscribe(self):
        self.do(self.world.unlisten(self.others[0]))

    @precondition(lambda self: self.others)
    @rule()
    def pause_or_go_on(self):
        may_read = self.others[-1].may_read
        (may_read.clear if may_read.is_set() else may_read.set)()

    @rule()
    def cancel_a_reader(self):
        self.do(self.world.restart([self.world.main, *self.others][-1]))

    def teardown(self):
        try:
            if self.world.listeners:
                self.account()
        finally:
            self.do(self.world.close())

    def account(self):
        """Say whether all promises were kept."""
        books = self.do(self.world.books())
        self.happened.update(self.world.happened)
        self.happened.update(
            f"{message.channel} by {message.origin}" for message in books.accounts[0].messages
        )
        found = faults(books)
        assert not found, "\n".join([*found[:20], *self._told(books)])

    def _told(self, books):
        """Return what helps to understand a fault."""
        told = [repr(item) for item in books.accounts[0].items if not hasattr(item, "raw")]
        return ["What was announced:", *told]


def wrong(name, **changes):
    """Return what has frames, calls or records go wrong from now on."""
    return lambda world: world.chaos(name, **changes)


def ended(how, **arguments):
    """Return what ends all sockets in some way."""
    return lambda world: world.end_sockets(how, **arguments)


def refused(kind, times):
    """Return what cuts the socket, and the next ones do not open as they should."""

    async def refuse(world):
        await world.chaos(kind, handshakes=[{"kind": kind, "times": times, "seconds": 0.2}])
        await world.end_sockets("cut")

    return refuse


def ill(method, **fault):
    """Return what cuts the socket while the service is ill."""

    async def fail(world):
        await world.chaos("rest", rest=[{**fault, "method": method, "times": 4}])
        await world.end_sockets("cut")

    return fail


WRONGS = [
    ended("cut"),
    ended("close", code=1000),
    ended("close", code=1011),
    ended("half_open"),
    refused("refuse", 2),
    refused("expire", 1),
    refused("mute", 1),
    refused("stall", 1),
    ill(None, status=429, retry_after=0.1),
    ill("GET", status=503),
    ill("POST", status=503),
    ill(None, slow=0.3),
    ill("GET", reset=True),
    ill("POST", reset=True),
    wrong("rest", rest=[{"status": 503, "probability": 0.3}]),
    wrong("history", history_lag=0.1),
    wrong("history", history_lag=0.1, history_jitter=0.3),
    wrong("delay", delay=0.03, delay_jitter=0.03),
    wrong("duplicate", duplicate=0.3),
    wrong("reorder", reorder=0.3),
    wrong("garbage", garbage=0.3),
    World.force_reconnect,
    World.force_reconnect,
    World.switch_transcript,
    World.switch_transcript,
]
"""Each in its turn, so that few examples have them all."""


class TroubledLife(Life):
    """The same, and everything goes wrong."""

    turns = itertools.cycle(random.Random(EXAMPLES).sample(WRONGS, len(WRONGS)))

    @rule()
    def go_wrong(self):
        self.do(next(self.turns)(self.world))

    @rule()
    def go_wrong_again(self):
        self.do(next(self.turns)(self.world))

    @rule()
    def mend(self):
        self.do(self.world.mend())


class CutLife(Life):
    """The same, and only the socket is lost: so all that has a history comes in order of time."""

    @rule()
    def cut(self):
        self.do(self.world.end_sockets("cut"))

    @rule()
    def force_reconnect(self):
        self.do(self.world.force_reconnect())


def live(machine, loop, process):
    """Run a machine; return what happened in all its examples."""
    machine.loop, machine.process, machine.happened = loop, process, Counter()
    run_state_machine_as_test(machine, settings=FEW)
    return machine.happened


def test_push_alone_is_at_most_once_and_in_order(loop, process):
    """Who only listens must not get anything twice, late or unseen."""
    happened = live(Life, loop, process)
    assert {name for name in happened if " by " in name} <= {
        "transcript by push",
        "scene_index by push",
        "alert by push",
        "capture_session by push",
    }
    assert happened["scene_index by push"] > 50


def test_a_lost_socket_loses_no_record_and_their_order_is_that_of_time(loop, process):
    """A hole in a transcript, or a sentence before its time, is a wrong transcript."""
    happened = live(CutLife, loop, process)
    # What happens is up to chance, but not whether anything does.
    assert happened["cut"] + happened["forced"] > 0
    assert happened["transcript by backfill"] + happened["scene_index by poll"] > 0


def test_whatever_goes_wrong_all_that_was_sent_came_or_lies_in_an_announced_gap(loop, process):
    """This is the one promise of the package: nothing is lost in silence."""
    happened = live(TroubledLife, loop, process)
    wrongs = {"cut", "close", "half_open", "refuse", "expire", "mute", "stall", "rest", "history"}
    wrongs |= {"delay", "duplicate", "reorder", "garbage", "switch"}
    assert wrongs & set(happened)  # which of them is up to chance
    assert happened["scene_index by push"] > 0
