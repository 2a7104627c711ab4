import asyncio

import pytest

from rtstream_async.errors import ConnectionClosedError, WrongEventLoopError
from rtstream_async.supervisor import Supervisor


async def test_it_may_be_opened_and_closed_in_different_tasks():
    """Web frameworks start and stop an application in different tasks."""
    supervisor = Supervisor("test")
    await asyncio.create_task(supervisor.start())
    ended = asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    supervisor.start_soon(work, name="work")
    await asyncio.sleep(0)
    await asyncio.create_task(supervisor.aclose())
    assert ended.is_set()
    assert supervisor.is_closed


async def test_after_closing_nothing_starts():
    """A task that nobody owns outlives the program's end."""
    supervisor = Supervisor("test")
    with pytest.raises(ConnectionClosedError):
        supervisor.start_soon(asyncio.sleep, 0, name="early")
    await supervisor.start()
    await supervisor.start()
    await supervisor.aclose()
    await supervisor.aclose()
    with pytest.raises(ConnectionClosedError):
        supervisor.start_soon(asyncio.sleep, 0, name="late")
    with pytest.raises(ConnectionClosedError):
        await supervisor.start()


async def test_closing_what_was_never_opened_is_no_matter():
    """`finally: await conn.aclose()` must not hide why it never opened."""
    await Supervisor("test").aclose()


async def test_what_a_task_raises_comes_out_of_aclose():
    """An error that ends the reader must not vanish."""
    supervisor = Supervisor("test")
    await supervisor.start()

    async def work():
        raise LookupError("broken")

    supervisor.start_soon(work, name="work")
    for _ in range(10):
        await asyncio.sleep(0)
    assert supervisor.is_closed
    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.aclose()
    assert isinstance(caught.value.exceptions[0], LookupError)


def test_a_second_event_loop_is_an_error():
    """Sockets of one loop hang in another, without a word."""
    supervisor = Supervisor("test")

    async def close():
        await supervisor.aclose()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(supervisor.start())
        with pytest.raises(WrongEventLoopError):
            second.run(supervisor.start())
        first.run(close())


async def test_a_cancelled_close_still_closes():
    """Ctrl-C during the goodbye must not leave the tasks running."""
    supervisor = Supervisor("test")
    await supervisor.start()

    async def stubborn():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            raise

    supervisor.start_soon(stubborn, name="stubborn")
    await asyncio.sleep(0)
    closing = asyncio.create_task(supervisor.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await supervisor.aclose()
    assert supervisor.is_closed
