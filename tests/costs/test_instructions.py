"""How many instructions a message takes in the pure core, counted by callgrind.

Nothing of the machine is in that number but the interpreter, so it is the same on a busy one. What
is known is kept in `instructions.json`, for each interpreter and decoder.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import sys
from pathlib import Path

import msgspec
import pytest

from tests.costs.core import MOST

KNOWN = Path(__file__).with_name("instructions.json")
FEW = 1_000
TOLERANCE = 0.05
ELSEWHERE = 0.5  # another interpreter may take so much more, or less

WHAT = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
VERSIONS = f"{WHAT}, msgspec {msgspec.__version__}"


async def instructions(messages: int) -> int:
    """Return how many instructions a process takes that takes so many messages through."""
    process = await asyncio.create_subprocess_exec(
        *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
        *(sys.executable, "-m", "tests.costs.core", str(messages)),
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    (count,) = re.findall(rb"Collected : (\d+)", told)
    return int(count)


@pytest.fixture
async def a_message():
    few, many = await asyncio.gather(instructions(FEW), instructions(MOST))
    return (many - few) / (MOST - FEW)


async def test_a_message_takes_no_more_instructions_than_it_did(a_message):
    """A tenth more here and there, in ten changes, and the reader is half as fast."""
    known: dict[str, float] = json.loads(KNOWN.read_text())
    if VERSIONS in known:
        expected = pytest.approx(known[VERSIONS], rel=TOLERANCE)
    else:
        expected = pytest.approx(max(known.values()), rel=ELSEWHERE)
    assert a_message == expected, f"of {VERSIONS}; if that is as it shall be, note it in {KNOWN}"
