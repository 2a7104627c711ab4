"""The error reference, held against the error tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtstream_async import errors

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "errors.md"
ROWS = dict(re.findall(r"^\| `(\w+)`.*\| (yes|no) \|$", PAGE.read_text(), re.MULTILINE))
ABSTRACT = {"APIError", "InvalidRequestError", "LinkError", "RTStreamError", "SearchError"}
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and name in errors.__all__ and name not in ABSTRACT
}


def test_every_error_is_in_the_reference():
    """Readers look here first when something fails."""
    assert ROWS.keys() == CLASSES.keys()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_reference_says_whether_repeating_helps(name):
    """Retry loops are written from this column."""
    error = CLASSES[name].__new__(CLASSES[name])
    assert error.is_retryable == (ROWS[name] == "yes")
