"""Warnings that come in bursts."""

from __future__ import annotations

import logging

from rtstream_async.realtime.burst import Burst


def levels(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_burst_is_one_warning_and_the_rest_can_be_looked_up(caplog):
    """A disk full of the same warning is one reason more for the outage."""
    caplog.set_level(logging.DEBUG)
    burst = Burst(logging.getLogger("test"), quiet=3600)
    for n in range(3):
        burst.warn("lost %d", n)
    assert levels(caplog) == [("WARNING", "lost 0"), ("DEBUG", "lost 1"), ("DEBUG", "lost 2")]


def test_the_next_warning_says_how_many_there_were(caplog, monkeypatch):
    """Who only looks at warnings must learn that there was more than one."""
    now = 0.0
    monkeypatch.setattr("rtstream_async.realtime.burst.time.monotonic", lambda: now)
    burst = Burst(logging.getLogger("test"), quiet=60)
    for n in range(3):
        burst.warn("lost %d", n)
    now = 61.0
    burst.warn("lost again")
    assert levels(caplog) == [
        ("WARNING", "lost 0"),
        ("WARNING", "lost again"),
        ("WARNING", "2 more like it since the last such warning"),
    ]
