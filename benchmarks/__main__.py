"""`make bench`: all measurements, or those named on the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import attrs

from benchmarks import import_time, table


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
    for name in options.names or _BENCHMARKS:
        _BENCHMARKS[name](options)


def _import(options: argparse.Namespace) -> None:
    table.show("import time", import_time.measure(), as_json=options.json)


def _latency(options: argparse.Namespace) -> None:
    from benchmarks import kept, latency

    rows = latency.measure()
    table.show("latency: with a stuck consumer", rows, as_json=options.json)
    kept.keep("latency", rows)


def _memory(options: argparse.Namespace) -> None:
    from benchmarks import kept, memory

    rows = memory.measure()
    table.show("memory of an idle subscription", rows, as_json=options.json)
    kept.keep("memory", rows)


def _paging(options: argparse.Namespace) -> None:
    from benchmarks import kept, paging

    rows = paging.measure()
    table.show("paging: 100,000 scenes", rows, as_json=options.json)
    kept.keep("paging", rows)


def _reader(options: argparse.Namespace) -> None:
    from benchmarks import kept, reader

    rows = reader.measure()
    table.show("reader: socket to consumer", rows, as_json=options.json)
    kept.keep("reader", rows)


def _rest(options: argparse.Namespace) -> None:
    from benchmarks import kept, rest

    rows = rest.measure()
    table.show("REST calls", rows, as_json=options.json)
    kept.keep("rest", rows)


def _start(options: argparse.Namespace) -> None:
    from benchmarks import kept, start

    rows = start.measure()
    table.show("cold start to the first message", rows, as_json=options.json)
    kept.keep("start", rows)


def _growth(options: argparse.Namespace) -> None:
    from benchmarks import growth, kept

    rows = growth.measure()
    table.show("growth", rows, as_json=options.json)
    kept.keep("growth", rows)
    growth.draw(rows)


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


_BENCHMARKS = {
    "crashes": _crashes,
    "events": _events,
    "growth": _growth,
    "import": _import,
    "latency": _latency,
    "meetings": _meetings,
    "memory": _memory,
    "outage": _outage,
    "paging": _paging,
    "reader": _reader,
    "rest": _rest,
    "search": _search,
    "soak": _soak,
    "speech": _speech,
    "start": _start,
    "streams": _streams,
}

if __name__ == "__main__":
    main()
