"""Writes `docs/reference/compatibility.md`: method by method, what is as in the official SDK.

    python tools/compatibility_page.py

The words about methods and about the wire are in `compatibility_words.py`; the differences in
requests, answers and sockets are those that the conformance tests make. A test holds the page
against what this gives.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import api_page  # noqa: E402 - found by the line above
import compatibility_words as words  # noqa: E402

from tests.conformance import test_workflow  # noqa: E402
from tests.conformance.driver import TABLES  # noqa: E402
from tests.conformance.tables import elsewhere, http, sockets  # noqa: E402

PAGE: Final = ROOT / "docs" / "reference" / "compatibility.md"
INDEX: Final = ROOT / "tests" / "conformance" / "golden" / "index.jsonl"


def page() -> str:
    """Return the page."""
    parts = [words.HEAD, words.PORTING, *_methods(), *_differences(), *_tables()]
    return "\n".join(parts)


def official_methods() -> dict[str, list[str]]:
    """Return the public methods of each class of the official SDK that has a place here."""
    return {
        name: [
            method
            for method in api_page.methods_of(name)
            if not (name == "Connection" and method in words.OWN_TRANSPORT)
        ]
        for name in api_page.OFFICIAL
    }


def not_offered() -> dict[str, str]:
    """Return the reason for each `Class.method` that is not offered."""
    return {
        f"{kind}.{method}": reason
        for reason, kinds in words.NOT_OFFERED.items()
        for kind, methods in kinds.items()
        for method in methods.split()
    }


def differences() -> dict[int, str]:
    """Return the reason for each recorded row in which we differ on purpose."""
    tables: list[Mapping[int, str]] = [table.WHY for table in TABLES]
    tables += [http.WHY, sockets.WHY, elsewhere.WHY, test_workflow.WHY]
    found: dict[int, str] = {}
    for table in tables:
        found |= table
    return dict(sorted(found.items()))


def _methods() -> Iterator[str]:
    yield "## Method by method\n"
    yield words.METHODS
    reasons = not_offered()
    for kind, methods in official_methods().items():
        yield f"### `{kind}`\n"
        if not methods:
            yield "It has no methods; its fields are the same.\n"
            continue
        yield "| Method | Here | |\n|---|---|---|"
        for method in methods:
            name = f"{kind}.{method}"
            if name in reasons:
                yield f"| `{method}` | not offered | {reasons[name]} |"
            elif name in words.BETTER:
                yield f"| `{method}` | better | {words.BETTER[name]} |"
            else:
                yield f"| `{method}` | same | |"
        yield ""


def _differences() -> Iterator[str]:
    index = {
        row["row"]: row for row in map(json.loads, INDEX.read_text(encoding="utf-8").splitlines())
    }
    yield "## Differences on purpose\n"
    yield words.DIFFERENCES
    yield "| Call | Case | Here | Row |\n|---|---|---|---|"
    for number, reason in differences().items():
        call, case = index[number]["call"], index[number]["variant"].replace("|", "\\|")
        yield f"| `{call}` | {case} | {reason} | {number} |"
    yield ""
    yield "All 337 recorded exchanges are run.\n"


def _tables() -> Iterator[str]:
    yield "## Words for states\n"
    yield words.STATES_HEAD
    yield "| Of | Words | Here |\n|---|---|---|"
    yield from (f"| {of} | {said} | {here} |" for of, said, here in words.STATES)
    yield "\n## Where the sources disagree\n"
    yield words.DISAGREEMENTS_HEAD
    yield "| | About | The client accepts | The local server emits | Switch |"
    yield "|---|---|---|---|---|"
    yield from (
        f"| D{number} | {' | '.join(cells)} |"
        for number, cells in enumerate(words.DISAGREEMENTS, start=1)
    )
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
