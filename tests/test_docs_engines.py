"""What the page about engines says, held against the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtstream_async.local.domain.endpoints import OPTIONS, parse_endpoint
from rtstream_async.local.engines.openai import chat, endpoint, speech
from rtstream_async.local.engines.openai.embedding import _BATCH
from rtstream_async.local.engines.openai.usage import Usage

PAGE = (Path(__file__).parents[1] / "docs/howto/engines.md").read_text()


def section(title):
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def rows(text):
    """The rows of the tables, as lists of cells."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_has_every_option_and_no_other():
    """An option that is not here is not found; one that is not there is refused."""
    shown = {kind: set() for kind in OPTIONS}
    for names, kinds, _, _ in rows(section("Options")):
        for kind in OPTIONS if kinds == "all" else kinds.split(", "):
            shown[kind] |= set(re.findall(r"`(\w+)`", names))
    assert shown == {kind: set(options) for kind, options in OPTIONS.items()}


def test_the_page_has_the_defaults():
    """Who pays reckons with them."""
    defaults = {cells[0]: cells[3].strip("`") for cells in rows(section("Options"))}
    assert float(defaults["`timeout`"]) == endpoint._TIMEOUT
    assert int(defaults["`retries`"]) == endpoint._RETRIES
    assert int(defaults["`concurrency`"]) == endpoint._CONCURRENCY
    assert float(defaults["`longest`"]) == speech._LONGEST
    assert int(defaults["`batch`"]) == _BATCH


def test_the_page_has_every_setting_of_an_index():
    """They are refused else, and nobody knows which are taken."""
    sentence = re.search(r"`model_config` of an index goes.*?Anything else", PAGE, re.DOTALL)
    named = set(re.findall(r"`(\w+)`", sentence[0])) - {"model_config"}
    assert named == chat._PASSED_ON | chat._OURS


def test_the_page_has_every_counter():
    """The bill is checked with them."""
    named = {
        name for cells in rows(section("What it costs")) for name in re.findall(r"\w+", cells[0])
    }
    assert named == set(Usage().report())


def test_the_page_has_every_key():
    """A key in the wrong variable is no key."""
    named = [cells[0].strip("`") for cells in rows(section("Keys"))]
    assert named == [*(f"RTSTREAM_{kind.upper()}_API_KEY" for kind in OPTIONS), "OPENAI_API_KEY"]


@pytest.mark.parametrize("model", [cells[0].strip("`") for cells in rows(section("Models"))])
def test_the_models_of_the_page_are_understood(model):
    """They are pasted."""
    kind = "embedding" if "query=" in model else "vision"
    assert parse_endpoint(kind, f"http://h#{model}").model


def test_the_texts_of_the_page_are_understood():
    """These, too."""
    texts = re.findall(r'(vision|language)(?: |=)"openai:([^"]+)"', PAGE)
    assert len(texts) == 3
    for kind, text in texts:
        assert parse_endpoint(kind, text)
