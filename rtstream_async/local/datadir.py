"""The data directory: made, readable by its owner alone, with the key and the secret in it."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import attrs

from rtstream_async.errors import LocalServerError

__all__ = ["ASSETS", "DATABASE", "SEGMENTS", "DataDir", "open_data_dir"]

DATABASE = "rtstream.db"
SEGMENTS = "segments"
ASSETS = "assets"

_KEY_FILE = "api_key"
_SECRET_FILE = "secret"  # noqa: S105 - a file's name
_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700


@attrs.frozen(kw_only=True)
class DataDir:
    """An open data directory."""

    path: Path
    api_key: str = attrs.field(repr=False)
    secret: bytes = attrs.field(repr=False)  #: signs the tokens; kept, so that URLs stay good
    is_temporary: bool

    def remove(self) -> None:
        """Delete a temporary one."""
        if self.is_temporary:
            shutil.rmtree(self.path)


def open_data_dir(path: Path | None, *, api_key: str | None) -> DataDir:
    """Return the data directory at `path`, or a temporary one.

    Raises:
        LocalServerError: It can't be made or written.
    """
    try:
        if path is None:
            chosen = Path(tempfile.mkdtemp(prefix="rtstream-"))
        else:
            chosen = path.expanduser().resolve()
            chosen.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        # The directory may have been there before, and be open to all. The database has the
        # passwords of cameras; SQLite gives the files beside it the same mode.
        os.close(os.open(chosen / DATABASE, os.O_RDWR | os.O_CREAT, _PRIVATE))
        for folder in (SEGMENTS, ASSETS):
            (chosen / folder).mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        return DataDir(
            path=chosen,
            api_key=api_key or _kept(chosen / _KEY_FILE, f"sk-{secrets.token_urlsafe(24)}"),
            secret=bytes.fromhex(_kept(chosen / _SECRET_FILE, secrets.token_hex(32))),
            is_temporary=path is None,
        )
    except (OSError, ValueError) as exc:
        raise LocalServerError(f"the data directory can't be used: {exc}") from exc


def _kept(path: Path, fresh: str) -> str:
    """Return what the file holds; `fresh`, written into it, when there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        text = path.read_text().strip()
        if not text:
            raise ValueError(f"{path} is empty; delete it to have a new one made") from None
        return text
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{fresh}\n")
    return fresh
