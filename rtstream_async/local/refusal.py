"""The server's "no": raised anywhere below a handler, answered in the envelope."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Refusal", "conflict", "invalid", "not_found"]


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not a failure of the server
    """The request can't be granted; the text is for the client.

    Attributes:
        status: HTTP status.
        code: The envelope's `error_code`.
        message: The envelope's `message`: what is wrong and what to try.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(message)


def invalid(argument: str, problem: str, *, allowed: Sequence[object] | None = None) -> Refusal:
    """Return the refusal of one argument, with what would be taken instead."""
    choices = "" if allowed is None else f"; allowed: {', '.join(str(item) for item in allowed)}"
    return Refusal(400, "INVALID_ARGUMENT", f"{argument}: {problem}{choices}")


def not_found(kind: str, id_: str) -> Refusal:
    """Return the refusal of an id that names nothing here."""
    return Refusal(404, "NOT_FOUND", f"there is no {kind} {id_!r}")


def conflict(message: str) -> Refusal:
    """Return the refusal of something that the object's state does not allow."""
    return Refusal(400, "CONFLICT", message)
