"""`python -m rtstream_async.cli`."""

from __future__ import annotations

from rtstream_async.cli import main

main()
