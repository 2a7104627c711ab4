"""`make bench`: all measurements, or those named on the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

import attrs

from benchmarks import table


def main() -> None:
    """Run what was asked for and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(_BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a benchmark")
    parser.add_argument("--seconds", type=float, default=30, help="length of the stream runs")
    parser.add_argument("--rounds", type=int, default=50, help="how often a server is killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it is")
    parser.add_argument("--soak", type=float, default=600, help="length of the run with faults")
    parser.add_argument("--streams", type=int, default=500, help="streams of that run, or outage")
    parser.add_argument("--outage", type=float, default=60, help="seconds without the service")
    parser.add_argument("--file", type=Path, help="what to publish, instead of the demo clip")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in _BENCHMARKS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are: {', '.join(_BENCHMARKS)}")
    for name in options.names or [name for name in _BENCHMARKS if name not in _LONG]:
        _BENCHMARKS[name](options)


def _kept(name: str, title: str, options: argparse.Namespace) -> Sequence[Mapping[str, object]]:
    """Show what the module `name` measures, and keep it beside what was kept before."""
    from benchmarks import kept

    rows: Sequence[Mapping[str, object]] = import_module(f"benchmarks.{name}").measure()
    table.show(title, rows, as_json=options.json)
    kept.keep(name, rows)
    return rows


def _growth(options: argparse.Namespace) -> None:
    from benchmarks import growth

    growth.draw(_kept("growth", "how costs grow", options))


def _streams(options: argparse.Namespace) -> None:
    from benchmarks import streams

    plans = [(1, 1), (8, 1), (8, 5), (30, 0)]
    rows = [
        asyncio.run(
            streams.measure(
                streams=count,
                seconds=options.seconds,
                every=5.0,
                frames=frames,
                index=frames > 0,
                file=options.file,
            )
        )
        for count, frames in plans
    ]
    table.show("live streams in one server", rows, as_json=options.json)


def _meetings(options: argparse.Namespace) -> None:
    from benchmarks import speaking, streams

    with tempfile.TemporaryDirectory() as folder:
        file = options.file or speaking.make_speaking(Path(folder) / "speaking.mp4")
        rows = [
            asyncio.run(
                streams.measure(
                    streams=count,
                    seconds=options.seconds,
                    every=5.0,
                    frames=1,
                    index=True,
                    file=file,
                    sound=True,
                )
            )
            for count in (1, 4)
        ]
    table.show("live streams, seen and heard", rows, as_json=options.json)


def _speech(options: argparse.Namespace) -> None:
    from benchmarks import speech

    words = asyncio.run(speech.measure_words())
    table.show("speech: words and times", words, as_json=options.json)
    live = [
        asyncio.run(speech.measure_live(streams=count, seconds=options.seconds))
        for count in (1, 4, 8)
    ]
    table.show("speech: live streams in one engine", live, as_json=options.json)


def _search(options: argparse.Namespace) -> None:
    from benchmarks import search

    table.show("search: what is found", asyncio.run(search.measure_quality()), as_json=options.json)
    speed = asyncio.run(search.measure_speed(records=100_000))
    table.show("search: how long it takes", speed, as_json=options.json)


def _events(options: argparse.Namespace) -> None:
    from benchmarks import events

    table.show("events: what is detected", events.measure(), as_json=options.json)


def _crashes(options: argparse.Namespace) -> None:
    from benchmarks import crashes

    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(crashes.run(Path(folder), rounds=options.rounds, seed=options.seed))
    table.show("a server killed at work", [outcome.row()], as_json=options.json)
    for problem in outcome.problems:
        print(f"  {problem}", file=sys.stderr)


def _soak(options: argparse.Namespace) -> None:
    from benchmarks import soak

    outcome = asyncio.run(
        soak.measure(seconds=options.soak, streams=options.streams, seed=options.seed)
    )
    table.show("a long run with faults", [attrs.asdict(outcome)], as_json=options.json)
    print(f"  kept in {soak.record(outcome)}", file=sys.stderr)


def _outage(options: argparse.Namespace) -> None:
    from benchmarks import outage, soak

    outcome = asyncio.run(outage.measure(streams=options.streams, outage=options.outage))
    table.show("after an outage", [attrs.asdict(outcome)], as_json=options.json)
    print(f"  kept in {soak.record(outcome, 'outage')}", file=sys.stderr)


_BENCHMARKS: Mapping[str, Callable[[argparse.Namespace], object]] = {
    "reader": partial(_kept, "reader", "reader: socket to consumer"),
    "latency": partial(_kept, "latency", "latency: with a stuck consumer"),
    "memory": partial(_kept, "memory", "what things take of memory"),
    "growth": _growth,
    "shards": partial(_kept, "shards", "readers in processes of their own"),
    "handing_on": partial(_kept, "handing_on", "messages handed on to a log"),
    "paging": partial(_kept, "paging", "paging: 100,000 scenes"),
    "rest": partial(_kept, "rest", "REST calls"),
    "import": partial(_kept, "import_time", "import time"),
    "start": partial(_kept, "start", "cold start to the first message"),
    "streams": _streams,
    "search": _search,
    "webhooks": partial(_kept, "webhooks", "webhooks"),
    "events": _events,
    "meetings": _meetings,
    "speech": _speech,
    "crashes": _crashes,
    "outage": _outage,
    "soak": _soak,
}
_LONG = frozenset({"crashes", "outage", "soak"})  # run when they are named

if __name__ == "__main__":
    main()
