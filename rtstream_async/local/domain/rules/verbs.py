"""What things do: come, go, move, wear, hold; and the words that deny it."""

from __future__ import annotations

import re

from rtstream_async.local.domain.rules.tree import Rule, Thing, Unknown
from rtstream_async.local.domain.rules.vocabulary import COLORS, GARMENTS, PERSON

__all__ = [
    "ENTERS",
    "LEAVES",
    "MISSING",
    "MOTION",
    "NOBODY",
    "NONE",
    "NOT",
    "RELATIONS",
    "WORN",
    "WORN_BY_EACH",
]

_COLOR = rf"(?:{'|'.join(COLORS)})(?:\|(?:{'|'.join(COLORS)}))*"
_GARMENT = rf"(?:{'|'.join(sorted(GARMENTS))})"
WORN = (
    re.compile(
        rf"(?:wearing|wears?|wore|dressed(?: all| entirely| completely)?(?: in)?|clad(?: in)?|in|"
        rf"dressed up in) (?:an? |the |all |some )?(?:bright |dark |light )?"
        rf"(?P<color>{_COLOR})(?: (?:\w+ )?{_GARMENT})?(?= |$)"
    ),
    re.compile(rf"(?:with|has|have) (?:an? |the )?(?P<color>{_COLOR}) {_GARMENT}(?= |$)"),
)
WORN_BY_EACH = re.compile(r"(?:one|some|any|at least one|#1-)(?: of (?:them|those|these|whom))")
ENTERS = re.compile(
    r"(?:enter(?:s|ed|ing)?|arriv(?:es?|ed|ing|al)|appear(?:s|ed|ing|ance)?|"
    r"approach(?:es|ed|ing)?|returns?|returned|returning|joins?|joined|"
    r"(?:comes?|came|coming|walk(?:s|ed|ing)?|step(?:s|ped|ping)?|get(?:s|ting)?|goes|going|"
    r"drives?|driving|moves?|moving|runs?|running|pulls?) (?:back |up |right )?"
    r"(?:in|inside|into|up|to|toward|towards|through)|"
    r"comes?|came|coming|show(?:s|ed|ing)? up|turn(?:s|ed|ing)? up|pop(?:s|ped)? up)(?= |$)"
)
LEAVES = re.compile(
    r"(?:leav(?:es?|ing)|left|exit(?:s|ed|ing)?|disappear(?:s|ed|ing|ance)?|"
    r"vanish(?:es|ed|ing)?|depart(?:s|ed|ing|ure)?|gone|"
    r"(?:goes|go|going|went|walk(?:s|ed|ing)?|driv(?:es?|ing)|drove|runs?|running|moves?|moving) "
    r"(?:away|out|off))(?= |$)"
)
MISSING = frozenset({"missing", "absent"})
MOTION = frozenset(
    {
        *("walk", "walks", "walking", "walked", "move", "moves", "moving", "pass", "passes"),
        *("passing", "cross", "crosses", "crossing", "drive", "drives", "driving", "goes", "going"),
        *("strolling", "wandering", "motion", "movement", "driven", "drove"),
    }
)
RELATIONS = frozenset(
    {
        *("riding", "rides", "ride", "holding", "holds", "hold", "carrying", "carries", "carry"),
        *("using", "uses", "use", "pushing", "pushes", "pulling", "sitting", "sits"),
    }
)
NONE = frozenset({"no", "without", "neither", "nor", "none", "zero"})
NOT = frozenset({"not", "never"})
NOBODY: dict[str, Rule] = {
    "nobody": Thing(noun="person", plural="people", labels=frozenset({PERSON})),
    "nothing": Unknown(text="anything"),
}
