"""A consumer with a checkpoint is killed, cancelled and cut off, and skips nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

import rtstream_async as rts
from tests.guarantees.process import PATIENCE, ROOT, Process, served
from tests.guarantees.test_faults import EXAMPLES, FEW

BATCH = {"type": "time", "value": 2, "frame_count": 1}
CHANNELS = {"hall": "transcript", "door": "scene_index"}
HOW = {"hall": "final", "door": "scene"}


@attrs.frozen
class Line:
    """What became of one message, as the consumer wrote it down."""

    what: str
    channel: str
    number: int
    origin: str


@attrs.define(eq=False)
class Life:
    """One server, two streams, and a consumer that lives again and again."""

    server: Process
    folder: Path
    streams: dict[str, str] = attrs.field(factory=dict)
    begun: float = 0.0
    program: asyncio.subprocess.Process | None = None

    async def open(self):
        await self.server.ask("reset")
        self.begun = time.time()
        self.log.touch()
        async with rts.connect(self.server.key, base_url=self.server.url) as conn:
            collection = await conn.get_collection()
            for name, media in (("hall", "audio"), ("door", "video")):
                stream = await collection.connect_rtstream(
                    f"scripted://{name}", name, media_types=[media], ws_connection_id=None
                )
                self.streams[name] = stream.id
                if name == "door":
                    await stream.index_visuals("Who?", BATCH, ws_connection_id=None)

    @property
    def log(self):
        return self.folder / "log"

    @property
    def lines(self):
        lines = [line.split() for line in self.log.read_text().split("\n")[:-1]]
        return [Line(what, channel, int(n), origin) for what, channel, n, origin in lines]

    async def start(self):
        if self.program is None:
            self.program = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.guarantees.consumer_program"),
                *(self.server.url, self.server.key, self.streams["hall"], self.streams["door"]),
                *(str(self.begun), str(self.folder / "cursor.db"), str(self.log)),
                cwd=ROOT,
            )

    async def stop(self, how):
        if self.program is not None:
            assert self.program.returncode is None, "the consumer has ended by itself"
            self.program.send_signal(how)
            code = await self.program.wait()
            self.program = None
            # Before it listens to a signal, that is as good as a kill.
            assert code in {0, -how}

    async def say(self, name, count, apart):
        await self.server.ask(
            "say", stream=self.streams[name], how=HOW[name], words="x", count=count, apart=apart
        )

    async def wanted(self):
        """Return the numbers of what is stored, by channel."""
        said = (await self.server.ask("log"))["said"]
        return {
            channel: [
                int(one["text"].split()[0][1:])
                for one in said
                if one["channel"] == channel and one["stored"]
            ]
            for channel in CHANNELS.values()
        }

    async def settle(self):
        """Have more said while nobody is there, and wait until all that is stored is done."""
        await self.server.ask("calm")
        await self.stop(signal.SIGKILL)
        for name in self.streams:
            await self.say(name, 5, 0.0)
        await asyncio.sleep(1.0)  # longer than what is read again in any case
        await self.start()
        wanted = await self.wanted()
        deadline = time.monotonic() + PATIENCE / 2
        while time.monotonic() < deadline:
            lines = self.lines
            if all(
                {line.number for line in lines if line.channel == channel} >= set(numbers)
                for channel, numbers in wanted.items()
            ):
                break
            await asyncio.sleep(0.1)
        return wanted

    async def close(self):
        if self.program is not None:
            self.program.kill()
            await self.program.wait()


class Machine(RuleBasedStateMachine):
    """What happens to a consumer."""

    loop: asyncio.Runner
    process: Process
    folders: object
    happened: Counter[str]

    def __init__(self):
        super().__init__()
        self.life = Life(self.process, self.folders())
        self.is_calm = True

    def do(self, work):
        async def guarded():
            async with asyncio.timeout(2 * PATIENCE):
                return await work

        return self.loop.run(guarded())

    @initialize()
    def open(self):
        self.do(self.life.open())
        self.do(self.life.start())
        for name in ("hall", "door"):
            self.do(self.life.say(name, 40, 0.05))

    @rule(
        name=st.sampled_from(["hall", "door"]),
        count=st.integers(1, 25),
        apart=st.sampled_from([0.0, 0.005, 0.03]),
    )
    def say(self, name, count, apart):
        self.do(self.life.say(name, count, apart))

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0]))
    def wait(self, seconds):
        self.do(asyncio.sleep(seconds))

    @rule(seconds=st.sampled_from([0.3, 1.5]))
    def kill_when_it_works(self, seconds):
        self.do(asyncio.sleep(seconds))
        self.end(signal.SIGKILL)

    @rule(seconds=st.sampled_from([0.3, 1.5]))
    def cancel_when_it_works(self, seconds):
        self.do(asyncio.sleep(seconds))
        self.end(signal.SIGTERM)

    def end(self, how):
        self.happened[how.name] += self.life.program is not None
        self.do(self.life.stop(how))

    @rule()
    def start(self):
        self.do(self.life.start())

    @rule(how=st.sampled_from(["cut", "close"]))
    def lose_the_socket(self, how):
        self.happened["lost"] += self.do(self.process.ask("end", how=how))

    @rule(fault=st.sampled_from([{"status": 503}, {"reset": True}, {"slow": 0.2}]))
    def make_rest_ill(self, fault):
        self.is_calm = False
        self.do(self.process.ask("chaos", rest=[{**fault, "method": "GET", "times": 4}]))
        self.do(self.process.ask("end", how="cut"))

    def teardown(self):
        try:
            if self.life.streams:
                self.account()
        finally:
            self.do(self.life.close())

    def account(self):
        """Say whether each stored record was handled, in order, and none skipped."""
        wanted, lines = self.do(self.life.settle()), self.life.lines
        self.happened.update(f"{line.what} {line.channel}" for line in lines)
        for channel, numbers in wanted.items():
            own = [line for line in lines if line.channel == channel]
            missing = set(numbers) - {line.number for line in own}
            assert not missing, f"never handled on {channel}: {sorted(missing)}"
            assert {line.number for line in own} <= set(numbers)
            for line in own:
                assert (line.what == "dead") is (line.number % 11 == 0)
            first = list(dict.fromkeys(line.number for line in own))
            if self.is_calm:
                assert first == sorted(first), f"out of order on {channel}: {first}"


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


def test_a_consumer_with_a_checkpoint_skips_nothing_whatever_happens_to_it(
    loop, process, tmp_path_factory
):
    """Who restarts a consumer after a crash must not have to wonder what it has missed."""
    Machine.loop, Machine.process, Machine.happened = loop, process, Counter()
    Machine.folders = staticmethod(lambda: tmp_path_factory.mktemp("life"))
    run_state_machine_as_test(
        Machine, settings=settings(FEW, max_examples=EXAMPLES or 3, stateful_step_count=12)
    )
    happened = Machine.happened
    assert happened["handled scene_index"] > 0
    assert happened["handled transcript"] > 0
