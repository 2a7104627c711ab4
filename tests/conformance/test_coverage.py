"""All 337 recorded exchanges are judged, and each difference has its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import test_http_answers, test_workflow
from tests.conformance.driver import (
    GOLDEN,
    OTHER_NAME,
    OTHER_OUTCOME,
    OTHER_REQUEST,
    OTHER_RESULT,
    ROWS,
    TABLES,
    recorded,
)
from tests.conformance.tables import elsewhere, http, sockets

ROOT = Path(__file__).parents[2]
INDEX = recorded("index.jsonl")
SCRIPTED = sockets.SCRIPTS.keys() | sockets.NO_GREETING.keys()
PARTS = (
    ROWS,
    test_http_answers.ROWS,
    test_workflow.ROWS,
    SCRIPTED,
    elsewhere.TESTED,
)


def test_every_recorded_row_is_judged_once():
    """A row that nobody runs is a promise that nobody keeps."""
    assert list(INDEX) == list(range(1, 338))
    judged = [row for part in PARTS for row in part]
    assert len(judged) == len(set(judged))
    assert set(judged) == INDEX.keys()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_golden_is_the_call_that_its_number_says(path):
    """A row under another's number would be compared with the wrong reason."""
    for number, row in recorded(path.name).items():
        known = INDEX[number]
        assert row["variant"] == known["variant"]
        assert row.get("call", known["call"]) == known["call"]


def test_each_difference_has_a_reason_and_each_reason_a_difference():
    """The published list is made of these."""
    for table in TABLES:
        differs = (
            table.OTHER_REQUEST.keys()
            | table.OTHER_OUTCOME.keys()
            | table.OTHER_RESULT.keys()
            | table.OTHER_NAME.keys()
        )
        assert table.WHY.keys() == differs, table.__name__
    assert test_workflow.WHY.keys() == test_workflow.OTHER_ROW.keys() | (
        test_workflow.OTHER_OUTCOME.keys()
    )
    known = OTHER_REQUEST | OTHER_OUTCOME | OTHER_RESULT | OTHER_NAME
    assert known.keys() <= ROWS.keys()
    assert http.WHY.keys() <= test_http_answers.ROWS.keys()
    assert sockets.WHY.keys() <= SCRIPTED | elsewhere.TESTED.keys()


@pytest.mark.parametrize("place", sorted(set(elsewhere.TESTED.values())))
def test_a_test_that_is_named_is_there(place):
    """A renamed test would leave a row to nobody."""
    path, _, name = place.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
