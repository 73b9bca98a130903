"""Actions: reading the one call that a policy writes, and which calls are legal under a rule."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from verienv.core.shown import shown
from verienv.virl.routes.route import ActionSpace
from verienv.virl.world.geometry import COMPASS, TURNS

Action = str
"""A call written as ``Waypoint.action`` writes it: ``forward()``, ``stop()``, ``turn_direction(slightly left)``."""

WORDS: dict[ActionSpace, tuple[str, ...]] = {"absolute": COMPASS, "relative": TURNS}
"""The words for directions under each rule."""

LONGEST = 256
"""Characters; a longer text is no action."""

# ASCII alone, so that no letter from elsewhere folds to one of ours; possessive repeats, so that it never backtracks.
_CALL = re.compile(
    r"""
    \s*+ (?: (?P<plain> forward | stop ) \s*+ \( \s*+ \)
           | turn_direction \s*+ \( \s*+ (?P<quote>["']?+) \s*+ (?P<word> [a-z]++ (?:\s++[a-z]++)?+ ) \s*+
             (?P=quote) \s*+ \)
    ) \s*+
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def read_action(text: Any) -> Action | None:
    """The action that ``text`` spells, or None if it is not exactly one call of a known action.

    Case, white space and matching quotes around the argument are free: ``Turn_Direction( 'North' )``. The argument is
    one of the twelve words, whichever rule is in play. Anything but a string is no action.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    call = _CALL.fullmatch(text)
    if call is None:
        return None
    if call["plain"]:
        return f"{call['plain'].lower()}()"
    word = " ".join(call["word"].lower().split())
    return f"turn_direction({word})" if any(word in words for words in WORDS.values()) else None


@lru_cache(maxsize=2)
def action_space(actions: ActionSpace) -> tuple[Action, ...]:
    """The legal actions under a rule, 10 under "absolute" and 6 under "relative". Another rule is a ValueError."""
    if actions not in WORDS:
        raise ValueError(f"actions={shown(actions)}: expected absolute or relative")
    return "forward()", *(f"turn_direction({word})" for word in WORDS[actions]), "stop()"
