"""Observations, read in any of the ways in which policies word them, and compared with the truth at a waypoint.

An observation makes two statements: which landmark is near, and whether streets cross. A statement of the crossing
stands first or last, and what remains is a landmark's name, alone or in a phrase such as "There is X on my right".
Names hold full stops, semicolons and quotes, so the text is never cut at those: only phrases known here are taken away,
from the ends, and what remains must be the name, whole. Whatever else is said remains too, and then it is not the name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verienv.virl.routes.route import Waypoint

LONGEST = 2000
"""Characters; a longer observation is not read."""

_SIGNS = str.maketrans(dict.fromkeys('"`´‘’‚‛“”„‟‹›«»′″ʹʻʼʽʾʿ＇＂', "'") | dict.fromkeys("‐‑‒–—―−", "-"))
_END = " .,;!"


@dataclass(frozen=True, slots=True)
class ParsedObservation:
    """One reading of an observation.

    Attributes:
        intersection: whether streets cross here; None if that is not mentioned.
        landmark: the folded name; "" for "no landmark", None if none is mentioned.
    """

    intersection: bool | None = None
    landmark: str | None = None


def fold(text: str) -> str:
    """``text`` without what spellings differ in: case, accents, runs of white space, the forms of quotes and dashes
    (double quotes become single ones), and punctuation at the end."""
    if text.isascii():
        return " ".join(text.lower().replace('"', "'").replace("`", "'").split()).rstrip(_END)
    for _ in range(2):  # a letter of mathematics becomes a plain capital in the first
        text = unicodedata.normalize("NFKD", text.translate(_SIGNS).casefold())
    bare = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(bare.split()).rstrip(_END)


# The patterns are for folded text, where white space is one space. Each has a longest match, so searching is linear.
_WE = r"(?:i|you|we)"
_WE_ARE = r"(?:i am|i'm|you are|you're|we are|we're)"
_SEE = rf"{_WE} (?:can |also |now )?(?:see|observe|notice)"
_IT_IS = r"(?:there is|there's|this is|it is|it's)"
_AN = r"(?:an|the)"
_ANY = r"(?:an|any|the)"
_YES = (
    rf"(?:{_WE_ARE} (?:now |also |currently )?(?:standing )?at {_AN} intersection"
    rf"|(?:{_SEE}|{_IT_IS}) {_AN} intersection"
    rf"|(?:at )?{_AN} intersection"
    r"|intersection: (?:yes|true))"
)
_NO = (
    rf"(?:(?:{_WE_ARE} )?not (?:now |currently )?(?:standing )?at {_ANY} intersection"
    rf"|(?:you|we) aren't (?:standing )?at {_ANY} intersection"
    rf"|(?:{_IT_IS} not|(?:this|it|there) isn't) {_ANY} intersection"
    rf"|{_WE} (?:do not|don't) (?:see|observe|notice) {_ANY} intersection"
    rf"|(?:(?:{_SEE}|there is|there's|there are) )?no intersections?(?: is| are)?(?: here| near| nearby)?"
    r"|intersection: (?:no|none|false))"
)
_JOIN = r"(?: ?[.,;!] ?(?:(?:and|but) )?| (?:and|but) )"
_CROSSING_LAST = re.compile(rf"(?:^|{_JOIN})(?:(?P<yes>{_YES})|(?P<no>{_NO}))$|(?:^| ?[.;!] ?)(?P<bare>intersection)$")
_CROSSING_FIRST = re.compile(rf"(?P<yes>{_YES})(?:{_JOIN}| with )|(?P<no>{_NO}){_JOIN}|(?P<bare>intersection) ?[.;!] ?")

_NEAR = r"(?:near|nearby|here|around|close by|in sight|in view|visible)(?: (?:you|me|us|here))?"
_NO_LANDMARK = re.compile(
    rf"(?:(?:{_SEE}|there is|there's|there are) )?(?:no (?:nearby |visible )?landmarks?|nothing)(?: (?:is|are))?"
    rf"(?: {_NEAR})?|none|landmarks?: (?:none|no)"
)
_NEITHER = re.compile(
    rf"(?:(?:{_SEE}|there is|there's|there are) )?no landmarks? (?:or|nor) intersections?(?: (?:is|are))?(?: {_NEAR})?"
)

_SIDE = r"(?:left|right|front|behind|back|rear)"
_PLACE = (
    rf"(?:(?:on|to|at|in) (?:your|my|our|the) (?:slightly )?{_SIDE}(?:[ -]{_SIDE})?(?: side)?(?: of (?:you|me|us))?"
    r"|behind(?: (?:you|me|us))?|in front(?: of (?:you|me|us))?|ahead(?: of (?:you|me|us))?|near(?:by)?|here)"
)
_BEFORE_NAME = re.compile(
    rf"(?:(?:{_PLACE},? )?(?:there is|there's|{_SEE})|{_PLACE},? (?:is|stands)|(?:the )?landmark(?: is|:)) "
)
_AFTER_NAME = re.compile(rf",?(?: (?:is|stands|lies))?(?: (?:located|situated|directly))? {_PLACE}$")
_ARTICLE = re.compile(r"(?:the|an?) ")


def parse_observation(text: Any) -> tuple[ParsedObservation, ...]:
    """Return every way to read an observation; none where it is empty, too long, or no string.

    There are several because a name may hold any words: "The Crown is here" may be a bare name too.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        return ()
    folded = fold(text)
    if not folded:
        return ()
    if _NEITHER.fullmatch(folded):
        return (ParsedObservation(False, ""),)
    readings = list(_landmarks(None, folded))
    if last := _CROSSING_LAST.search(folded):
        readings += _landmarks(not last["no"], folded[: last.start()])
    if first := _CROSSING_FIRST.match(folded):
        readings += _landmarks(not first["no"], folded[first.end() :])
    return tuple(dict.fromkeys(readings))


def _landmarks(intersection: bool | None, text: str) -> Iterator[ParsedObservation]:
    """Yield what ``text``, the rest of an observation, may say of a landmark."""
    if not text:
        yield ParsedObservation(intersection)
        return
    if _NO_LANDMARK.fullmatch(text):
        yield ParsedObservation(intersection, "")
    starts, ends = [0], [len(text)]
    if before := _BEFORE_NAME.match(text):
        starts.append(before.end())
    starts += [article.end() for start in starts if (article := _ARTICLE.match(text, start))]
    if after := _AFTER_NAME.search(text):
        ends.append(after.start())
    for start in starts:
        for end in ends:
            name = text[start:end].rstrip(_END)
            yield from (ParsedObservation(intersection, each) for each in (name, _unquoted(name)) if each)


def _unquoted(name: str) -> str:
    return name[1:-1] if name[:1] == name[-1:] == "'" else ""


def observation_is_true(text: Any, waypoint: Waypoint) -> bool:
    """Whether ``text`` claims exactly what is true at ``waypoint``. Never raises; anything but a string is not true.

    A crossing that is not mentioned is claimed to be none, and so is a landmark. The landmark counts under its ASCII
    label and under its own name; where it stands is not compared. The environment's own words are always true.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        return False
    if text == waypoint.observation or fold(text) == fold(waypoint.observation):
        return True
    names = {fold(waypoint.landmark), fold(waypoint.landmark_name)} - {""} if waypoint.landmark else {""}
    return any(
        bool(claims.intersection) == waypoint.at_intersection and (claims.landmark or "") in names
        for claims in parse_observation(text)
    )
