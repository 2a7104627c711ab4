"""What an observation says about one claim."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs

__all__ = ["Finding", "Truth", "all_hold", "any_holds", "denied", "fits", "fits_not", "unsure"]


class Truth(enum.Enum):
    """Whether an observation fits a claim."""

    FITS = "fits"
    FITS_NOT = "does not fit"
    UNSURE = "can't tell"


@attrs.frozen(kw_only=True)
class Finding:
    """Whether an observation fits, how sure that is, and why."""

    truth: Truth
    confidence: float  #: 0-1, that `truth` is right
    explanation: str  #: what was observed, as one clause without a full stop
    is_open: bool = False  #: unsure, and the likeness of the text to the prompt may decide it


def fits(confidence: float, explanation: str) -> Finding:
    """Return that an observation fits."""
    return Finding(truth=Truth.FITS, confidence=round(confidence, 2), explanation=explanation)


def fits_not(confidence: float, explanation: str) -> Finding:
    """Return that an observation does not fit."""
    return Finding(truth=Truth.FITS_NOT, confidence=round(confidence, 2), explanation=explanation)


def unsure(explanation: str, *, is_open: bool) -> Finding:
    """Return that it can't be told."""
    return Finding(truth=Truth.UNSURE, confidence=0.0, explanation=explanation, is_open=is_open)


def denied(finding: Finding) -> Finding:
    """Return the finding about the opposite. Likeness can't tell a claim from its denial."""
    opposite = {Truth.FITS: Truth.FITS_NOT, Truth.FITS_NOT: Truth.FITS}
    truth = opposite.get(finding.truth, Truth.UNSURE)
    return attrs.evolve(finding, truth=truth, is_open=False)


def all_hold(findings: Sequence[Finding]) -> Finding:
    """Return whether all claims hold: one that does not is enough to say no."""
    return _combined(findings, decisive=Truth.FITS_NOT, else_=Truth.FITS)


def any_holds(findings: Sequence[Finding]) -> Finding:
    """Return whether at least one claim holds: one that does is enough to say yes."""
    return _combined(findings, decisive=Truth.FITS, else_=Truth.FITS_NOT)


def _combined(findings: Sequence[Finding], *, decisive: Truth, else_: Truth) -> Finding:
    deciding = [finding for finding in findings if finding.truth is decisive]
    if deciding:
        return max(deciding, key=lambda finding: finding.confidence)
    undecided = [finding for finding in findings if finding.truth is Truth.UNSURE]
    if undecided:
        text = _joined(undecided)
        return unsure(text, is_open=all(finding.is_open for finding in undecided))
    return Finding(
        truth=else_,
        confidence=min(finding.confidence for finding in findings),
        explanation=_joined(findings),
    )


def _joined(findings: Sequence[Finding]) -> str:
    return "; ".join(dict.fromkeys(finding.explanation for finding in findings))
