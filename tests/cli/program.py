"""The real `rtstream` command, as a process, or called in this one."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from unittest.mock import patch

import attrs
import pytest

from rtstream_async.cli import main

PATIENCE = 120.0  # seconds until a process that hangs is ended; no test expects to wait for it
LOGGERS = ("rtstream_async", "rtstream_async.local")  # that commands set the levels of
OURS = ("RTSTREAM_", "VIDEO_DB_", "VIDEODB_")


def environment(**extra):
    """Nothing of the machine's own settings, so that a test sees what it sets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "TZ": "UTC", "COLUMNS": "100", **extra}


def command(*arguments):
    return [sys.executable, "-m", "rtstream_async.cli", *map(str, arguments)]


@attrs.frozen
class Ran:
    code: int
    out: str
    err: str

    @property
    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self):
        """What a user is told of a failure: one line on standard error, and no traceback."""
        assert "Traceback" not in self.err
        (line,) = [line for line in self.err.splitlines() if line.startswith("rtstream: ")]
        return line


def rtstream(*arguments, **env):
    """Run a command to its end."""
    done = subprocess.run(
        command(*arguments),
        check=False,  # tests look at the exit code
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def called(*arguments, **env):
    """Run a command to its end in this process, where starting one is not what is looked at."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment(**env), clear=True),
        patch.object(sys, "argv", ["rtstream", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
        logging_as_it_was(),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return Ran(ended.value.code, out.getvalue(), err.getvalue())


@contextmanager
def logging_as_it_was():
    """Undo what a command sets about logging, for the tests that come after it."""
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in LOGGERS]
    handlers, levels = root.handlers[:], [one.level for one in (root, *ours)]
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for one, level in zip((root, *ours), levels, strict=True):
            one.setLevel(level)


class Running:
    """A command at work."""

    def __init__(self, process):
        self._process = process
        self.read = []

    @property
    def pid(self):
        return self._process.pid

    def line(self):
        """The next line of its output."""
        line = self._process.stdout.readline()
        assert line, f"it has ended: {self._process.stderr.read()}"
        self.read.append(line)
        return line

    def object(self):
        """The next line of its output, which is JSON."""
        return json.loads(self.line())

    def end(self, number=signal.SIGINT):
        """Send a signal, and return what came of it."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self):
        out, err = self._process.communicate(timeout=PATIENCE)
        return Ran(self._process.returncode, "".join(self.read) + out, err)

    def kill(self):
        self._process.kill()


def running(*arguments, patience=PATIENCE, **env):
    """A command that runs while the block does."""
    return running_process(command(*arguments), patience=patience, **env)


@contextmanager
def running_process(words, *, patience=PATIENCE, **env):
    """A process that runs while the block does; `patience` (seconds) ends one that hangs."""
    with subprocess.Popen(
        words,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        watchdog = threading.Timer(patience, process.kill)
        watchdog.start()
        try:
            yield Running(process)
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
