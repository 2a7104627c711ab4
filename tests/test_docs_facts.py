"""What the pages say of the program, held against the program."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import attrs
import pytest
import typer

from rtstream_async.cli.app import app
from rtstream_async.client import Connection
from rtstream_async.local import LocalServer
from rtstream_async.local.chaos import Chaos
from rtstream_async.local.control import Control
from rtstream_async.local.domain.chaos import ChaosPlan, HandshakeFault, RestFault
from rtstream_async.local.domain.lifecycle import StreamState
from rtstream_async.local.handlers import chaos as chaos_calls
from rtstream_async.models.health import HealthState
from rtstream_async.protocol.link import TRANSITIONS, LinkSignal, LinkState
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.transport.socket import SocketOptions

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COMMANDS = typer.main.get_command(app).commands


def page(name: str) -> str:
    return (DOCS / name).read_text()


def section(text: str, title: str) -> str:
    """Return what stands below a heading, up to the next one."""
    found = re.search(
        rf"^##+ {re.escape(title)}[^\n]*\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    )
    assert found, title
    return found[1]


def fenced(kind: str, text: str) -> list[str]:
    """Return what stands between fences of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def first_cells(text: str) -> list[str]:
    """Return the code in the first cell of each row of the tables."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_page_has_every_option_and_no_other(name):
    """Who scripts a command reads this page, and not its help."""
    shown = section(page("howto/command-line.md"), f"`rtstream {name}")
    options = {
        max(param.opts, key=len): param
        for param in COMMANDS[name].params
        if param.param_type_name == "option"
    }
    assert set(first_cells(shown)) == set(options)
    for option, param in options.items():
        (row,) = [line for line in shown.splitlines() if line.startswith(f"| `{option}`")]
        *_, default, environment, _ = [cell.strip() for cell in row.split("|")]
        assert environment.strip("`") == (param.envvar or ""), option
        if param.default is True:
            assert default == "on", option
        elif param.default not in (None, False, ()) and not callable(param.default):
            assert default.strip("`") == str(param.default), option


def test_the_command_line_page_has_every_command():
    """A command that is not there is not found."""
    headings = re.findall(r"^## `rtstream (\w+)", page("howto/command-line.md"), re.MULTILINE)
    assert headings == list(COMMANDS)


def test_the_local_server_page_has_every_argument_and_its_default():
    """Who starts a server in a test reads it there."""
    shown = section(page("howto/local-server.md"), "Arguments of")
    parameters = dict(inspect.signature(LocalServer).parameters)
    assert first_cells(shown) == list(parameters)
    for name, parameter in parameters.items():
        (row,) = [line for line in shown.splitlines() if line.startswith(f"| `{name}`")]
        default = row.split("|")[3].strip()
        if parameter.default is not None:
            said = str(parameter.default).replace("'", "")
            assert default.strip("`").strip('"') == said, name


def test_the_local_server_page_has_every_status_word():
    """Monitors are written from this table."""
    shown = section(page("howto/local-server.md"), "Status").partition("**Ours:**")[0]
    assert set(first_cells(shown)) - {"status"} == {state.value for state in StreamState}


async def test_the_local_server_page_has_every_field_that_is_ours(monkeypatch):
    """The service has none of them, so no other page tells what they mean."""
    import httpx

    shown = section(page("howto/local-server.md"), "Status").partition("**Ours:**")[2]
    official = {"id", "name", "status", "sample_rate", "media_types", "collection_id", "store"}
    official |= {"created_at", "rtstream_index_id", "rtstream_id", "extraction_type"}
    official |= {"extraction_config", "prompt"}
    named = set(re.findall(r"`(\w+)`", shown))
    async with LocalServer(control=True) as server:
        headers = {"x-access-token": server.api_key}
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
            made = (await http.post("/rtstream", json={"url": "scripted://x"})).json()["data"]
            path = f"/rtstream/{made['id']}/index/scene"
            index = (await http.post(path, json={})).json()["data"]
    ours = (set(made) | set(index)) - official
    assert {"last_error", "lag", "engine"} <= ours
    assert ours <= named


def test_the_local_server_page_has_every_control():
    """A fault that nobody knows of is not tried."""
    shown = section(page("howto/local-server.md"), "For tests")
    named = {cell.partition("(")[0] for cell in first_cells(shown)}
    public = {name for name in vars(Control) if not name.startswith("_")} - {"endpoints"}
    assert named - {"server.control"} == public
    nothing = SimpleNamespace(hub=None, store=None)  # its routes need none of the parts
    control = Control(*[nothing] * len(inspect.signature(Control).parameters))  # type: ignore[arg-type]
    routes = {f"{route.method} {route.template}" for route, _ in control.endpoints()}
    assert set(re.findall(r"`((?:GET|POST) /_local/[^`]+)`", shown)) == routes


def test_the_local_server_page_has_every_fault_and_its_default():
    """Chaos that is not described is not tried; one that is not there is a test that can't fail."""
    shown = section(page("howto/local-server.md"), "Chaos")
    calls, settings = shown.split("| Setting |")
    named = set(re.findall(r"`(\w+)(?:\([^`]*\))?`", " ".join(_cells(calls, 1))))
    public = {name for name in vars(Chaos) if not name.startswith("_")}
    assert named - {"server"} == public - {"watch", "aclose", "linger", "choose_rest"}
    routes = {f"{route.method} {route.template}" for route, _ in chaos_calls.ENDPOINTS}
    assert routes <= set(re.findall(r"`([A-Z]+ /_local/[^`]+)`", shown))
    told = {}
    for names, defaults in zip(_cells(settings, 1), _cells(settings, 3), strict=True):
        fields = re.findall(r"`(\w+)`", names)
        values = [value.strip("` ") for value in defaults.split(", ")]
        told |= dict(zip(fields, values * len(fields), strict=False))
    plan = {name: str(value) for name, value in attrs.asdict(ChaosPlan()).items()}
    assert told == plan | {"garbage_kinds": "all", "cut_how": '"cut"'}
    for kind in (RestFault, HandshakeFault):
        assert {field.name for field in attrs.fields(kind)} <= set(re.findall(r"`(\w+)`", shown))


def _cells(table, column):
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    return [row[column].strip() for row in rows]


def test_the_tests_of_the_testing_page_pass(tmp_path):
    """Readers copy this file as it stands."""
    (code,) = re.findall(
        r"^```python\n(.*?)^```", page("howto/testing.md"), re.DOTALL | re.MULTILINE
    )
    (tmp_path / "test_door.py").write_text(code)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "filterwarnings = error\naddopts = -p no:cacheprovider\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_every_promise_names_a_test_that_is_there():
    """A promise without a test is a hope."""
    rows = [
        line
        for line in page("topics/guarantees.md").partition("## What a lost")[0].splitlines()
        if line.startswith("| ") and not line.startswith(("| Path ", "| What "))
    ]
    assert len(rows) > 15
    for row in rows:
        tests = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", row)
        assert tests or "never" in row, row
        for file, test in tests:
            text = (ROOT / file).read_text()
            named = rf"^(?:async )?def {test}\(" if test else "def test_"
            assert re.search(named, text, re.MULTILINE), f"{file}::{test}"


def test_the_numbers_among_the_guarantees_are_those_of_the_program():
    """Who counts on a budget counts with it."""
    text = page("topics/guarantees.md")
    found = re.findall(r"`(?:HubSettings\.)?(\w+)`\s+\(([\d.]+)(?: s)?\)", text)
    defaults = attrs.asdict(HubSettings())
    assert len(found) > 5
    for setting, shown in found:
        assert float(shown) == defaults[setting], setting


def diagram() -> str:
    """Return the link's states and signals in Mermaid's words."""
    moves: dict[tuple[str, str], list[str]] = {}
    for (state, signal), target in TRANSITIONS.items():
        moves.setdefault((state.value, target.value), []).append(signal.value)
    lines = [f"    {state} --> {end}: {', '.join(why)}" for (state, end), why in moves.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> IDLE", *lines, "    CLOSED --> [*]"]) + "\n"


def test_the_diagram_of_the_link_is_its_table():
    """Who looks for the cause of a state must not find one that is not there.

    When it fails: put what `diagram()` gives between the fences.
    """
    (shown,) = re.findall(
        r"^```mermaid\n(.*?)^```", page("topics/link.md"), re.DOTALL | re.MULTILINE
    )
    assert shown == diagram()


def test_the_page_of_the_link_has_every_state_and_every_signal():
    """Who sees a state in a log looks it up there."""
    text = page("topics/link.md")
    assert first_cells(text.partition("## ")[0]) == [state.value for state in LinkState]
    assert first_cells(section(text, "What moves it")) == [signal.value for signal in LinkSignal]


def test_the_numbers_on_the_page_of_the_link_are_those_of_the_program():
    """An operator sets alarms by them."""
    text = page("topics/link.md")
    for kind in (HubSettings(), SocketOptions()):
        for name, value in attrs.asdict(kind).items():
            for shown in re.findall(rf"`(?:HubSettings\.)?{name}` (?:\(|\| )([\d.]+) s", text):
                assert float(shown) == value, name
    named = set(re.findall(r"`(?:HubSettings\.)?(\w+)` (?:\(|\| )[\d.]+ s", text))
    assert {"silence_least", "silence_most", "silence_unknown", "watch_interval"} <= named
    assert {"ping_interval", "ping_timeout", "close_timeout", "outage_budget"} <= named
    assert f"`SocketOptions.dead_after`: {SocketOptions().dead_after:g} s" in text


def test_every_module_of_the_floors_is_in_the_architecture():
    """A floor that the page does not know is built on by accident."""
    shown = section(page("topics/architecture.md"), "Floors")
    package = ROOT / "rtstream_async"
    for path in package.iterdir():
        if path.name.startswith("_") or path.name == "py.typed":
            continue
        assert path.name in shown.replace("/", ""), path.name


def test_the_page_of_the_monitor_has_its_arguments_and_states():
    """Who reads a state in a log looks it up there."""
    text = page("howto/monitor.md")
    states = section(text, "How each stream is")
    assert first_cells(states) == list(get_args(HealthState))
    arguments = text.partition("\n## ")[0]
    defaults = {
        name: None if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(Connection.monitor).parameters.items()
        if name != "self"
    }
    assert first_cells(arguments) == list(defaults)
    for row in re.findall(r"^\| `.+ \|$", arguments, re.MULTILINE):
        name, _, default = (cell.strip() for cell in row.strip("|").split("|"))
        shown = ast.literal_eval(default.strip("`")) if default else None
        assert shown == defaults[name.strip("`")], name
