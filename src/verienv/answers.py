r"""Final answers as people write them: numbers, choices and texts, judged exactly or within a stated tolerance.

    answer = Answer("1/2", tolerance="0.01", units=("kg",))
    answer.judge(r"\boxed{0.5\text{ kg}}").is_correct

It judges the final answer alone: cut that out of a response first. "The answer is 0.5" is no number, nor is "5 apples"
unless apples are among the units.

A text with two readings has none, and is wrong: a point is always the decimal mark (1.000 is one), a comma parts
thousands alone (1,000 is a thousand; 1,5 and 0,500 are nothing), and a mixed number has a proper fraction (2 100/3 is
nothing) that could be no group of thousands (1 234/567 is nothing). Nothing here runs or expands a text: at most 256
characters and exponents of at most 99 are read.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

LONGEST = 256
"""Characters; a longer text is no number, choice or text."""
LARGEST_EXPONENT = 99

Number = int | float | str | Fraction
"""A number as a task states it: a float counts as it is printed, so that 0.1 is a tenth."""

_SIGNS = str.maketrans(dict.fromkeys("−–", "-") | dict.fromkeys("\u00a0\u2009\u202f", " ") | {"×": "*", "·": "*"})
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf) ?\{([^{}]*)\}", re.ASCII)
_WRAPPERS = (
    ("\\boxed{", "}"),
    ("\\text{", "}"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("$$", "$$"),
    ("$", "$"),
    ("**", "**"),
    ("{", "}"),
)
_FRACTION = re.compile(r"\\[dt]?frac ?(?:\{ ?([0-9]+) ?\}|([0-9])) ?(?:\{ ?([0-9]+) ?\}|([0-9]))(?! ?[0-9])", re.ASCII)
_DECIMAL = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_POWER = r"10 ?\^ ?(?:\{ ?([-+]?[0-9]{1,3}) ?\}|([-+]?[0-9]{1,3}))"
_PLAIN = re.compile(rf"({_DECIMAL})(?:[eE]([-+]?[0-9]{{1,3}})| ?\* ?{_POWER})?", re.ASCII)
_BARE_POWER = re.compile(_POWER, re.ASCII)
_RATIO = re.compile(r"(?:([0-9]+) )?([0-9]+) ?/ ?([0-9]+)", re.ASCII)
_MIXED_OR_GROUPED = re.compile(r"[0-9] [0-9]{3} ?/", re.ASCII)
_PARTED = re.compile(r"(?<=[0-9])\s*[\t\n\v\f\r\x85\u2028\u2029]\s*(?=[0-9])")
_CHOICE = re.compile(r"[(\[]?([A-Za-z])[)\].:]{0,2}(?: (.+))?", re.ASCII)
_ARTICLE = re.compile(r"(?:the|an?) (?=.)")


def read_number(text: Any) -> Fraction | None:
    """Return the number that a text spells, exactly; None if it spells none or its reading is in doubt. Never raises.

    A sign, groups of thousands, decimals, 1/2, mixed numbers, a percent sign, powers of ten and the TeX around and in
    them are read; NaN and infinity are no numbers. A whole number or a finite float counts as it is printed.
    """
    return _number(_bare(text, "number"))


@dataclass(frozen=True)
class Judgement:
    """The judgement of a final answer.

    Attributes:
        is_correct: whether it is one of the accepted answers, or near enough to one.
        read: what was read: a Fraction, a choice's letter, a normalised text; None where nothing was.
        reason: one line for people.
    """

    is_correct: bool
    read: Fraction | str | None
    reason: str


@dataclass(frozen=True)
class Answer:
    """The accepted answers to a question, and how a given one is compared with them.

    Args:
        accepted: one answer or several, as people write them; of a choice its letter.
        kind: "number", "choice" or "text".
        tolerance: how far a number may be from an accepted one.
        relative_tolerance: as a share of the accepted one's size; the larger of the two counts.
        units: the units in which a number may be given; it may stand without. Another unit is wrong.
        choices: the texts of the choices A, B, ...; a choice may then be given by its text, or letter and text.

    Raises:
        ValueError: for an accepted answer that cannot be read itself, or a tolerance below 0.
    """

    accepted: Number | tuple[Number, ...]
    kind: Literal["number", "choice", "text"] = "number"
    tolerance: Number = 0
    relative_tolerance: Number = 0
    units: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("number", "choice", "text"):
            raise ValueError(f"kind={self.kind!r}: expected number, choice or text")
        given = self.accepted if isinstance(self.accepted, tuple) else (self.accepted,)
        for name in ("units", "choices"):
            if isinstance(names := getattr(self, name), str) or not all(isinstance(one, str) for one in names):
                raise ValueError(f"{name}={names!r:.200}: expected a tuple of texts, such as ('kg',)")
        unread = [one for one in given if self._read(one, is_stated=True) is None]
        if unread or not given:
            other = ", or kind='choice' or kind='text'" if self.kind == "number" else ""
            raise ValueError(f"accepted={given!r:.200}: expected a {self.kind} or several, as people write them{other}")
        for name in ("tolerance", "relative_tolerance"):
            allowed = read_number(getattr(self, name))
            if allowed is None or allowed < 0:
                raise ValueError(f"{name}={getattr(self, name)!r:.80}: expected a number from 0 on, such as '0.01'")

    def judge(self, text: Any) -> Judgement:
        """Judge a final answer, cut out of its response. Never raises, whatever it is."""
        read = self._read(text)
        if read is None:
            return Judgement(False, None, f"no {self.kind} can be read")
        if not isinstance(read, Fraction):
            right = read in self._accepted()
        else:
            right = any(abs(read - one) <= self._allowed(one) for one in self._accepted() if isinstance(one, Fraction))
        return Judgement(right, read, "accepted" if right else f"{self.kind} read, but not accepted")

    def closeness(self, text: Any, reach: Number) -> float:
        """Return 1 for a right answer, and for a wrong number how near it is: 0 at ``reach`` and beyond, below 1.

        As a reward take a reach within which no constant answer falls; whoever states a wide one pays for guesses.
        """
        judged, far = self.judge(text), read_number(reach)
        if far is None or far <= 0:
            raise ValueError(f"reach={reach!r:.80}: expected a number above 0")
        if judged.is_correct or not isinstance(judged.read, Fraction):
            return float(judged.is_correct)
        distance = min(abs(judged.read - one) for one in self._accepted() if isinstance(one, Fraction))
        return min(float(max(Fraction(0), 1 - distance / far)), math.nextafter(1.0, 0.0))

    def _accepted(self) -> list[Fraction | str | None]:
        given = self.accepted if isinstance(self.accepted, tuple) else (self.accepted,)
        return [self._read(one, is_stated=True) for one in given]

    def _allowed(self, accepted: Fraction) -> Fraction:
        share = read_number(self.relative_tolerance) or Fraction(0)
        return max(read_number(self.tolerance) or Fraction(0), share * abs(accepted))

    def _read(self, text: Any, is_stated: bool = False) -> Fraction | str | None:
        bare = _bare(text, self.kind)
        if self.kind == "number":
            for unit in sorted(self.units, key=len, reverse=True):
                if unit and bare.endswith(unit):
                    return _number(bare[: -len(unit)].strip())
                if unit and bare.startswith(unit):
                    return _number(bare[len(unit) :].strip())
            return _number(bare)
        return _normal(bare) or None if self.kind == "text" else self._choice(bare, is_stated)

    def _choice(self, bare: str, is_stated: bool) -> str | None:
        """Return the letter of a choice; of a letter that is another choice's text, too, only the task's is read."""
        texts, said = [_normal(choice) for choice in self.choices], _normal(bare)
        named = {chr(ord("A") + at) for at, text in enumerate(texts) if text == said}
        if found := _CHOICE.fullmatch(bare):
            letter, at = found[1].upper(), ord(found[1].upper()) - ord("A")
            if not (texts and at >= len(texts)) and (not found[2] or (texts and _normal(found[2]) == texts[at])):
                named = {letter} if is_stated else named | {letter}
        return named.pop() if len(named) == 1 else None


def _bare(text: Any, kind: str) -> str:
    """Return a final answer without what stands around it: spaces, wrappers of TeX, a full stop; "" for none.

    Digits that a tab or a line parts are two numbers, and so none.
    """
    if isinstance(text, Fraction):
        text = f"{text.numerator}/{text.denominator}" if max(map(abs, text.as_integer_ratio())) < 10**99 else ""
    elif isinstance(text, float) or (type(text) is int and abs(text) < 10**LARGEST_EXPONENT):
        text = repr(text)
    if not isinstance(text, str) or len(text) > LONGEST:
        return ""
    text = _PARTED.sub(";", text) if kind == "number" else text
    text = text.translate(_SIGNS).replace("\\!", "").replace("{,}", ",").replace("\\,", " ").replace("\\ ", " ")
    text = text.replace("\\%", "%").replace("\\$", "$").replace("\\times", "*").replace("\\cdot", "*")
    for _ in range(8):  # each turn takes one wrapper off
        text, before = " ".join(text.split()), text
        text = text[:-1].rstrip() if text.endswith(".") else text
        for opening, closing in _WRAPPERS:
            inner = text[len(opening) : len(text) - len(closing)]
            if text.startswith(opening) and text.endswith(closing) and len(text) >= len(opening) + len(closing):
                text = inner if closing not in inner or opening == "\\boxed{" else text
        if text == before:
            break
    return " ".join(_TEXT.sub(r" \1", text).split())


def _number(text: str) -> Fraction | None:
    sign = -1 if text.startswith("-") else 1
    text = text[1:].lstrip() if text[:1] in ("-", "+") else text
    if _MIXED_OR_GROUPED.search(text):
        return None
    percent = text.endswith("%")
    text = text[:-1].rstrip() if percent else text
    value = _unsigned(_FRACTION.sub(lambda found: f" {found[1] or found[2]}/{found[3] or found[4]}", text).strip())
    return None if value is None else sign * value / (100 if percent else 1)


def _unsigned(text: str) -> Fraction | None:
    if ratio := _RATIO.fullmatch(text):
        whole, top, bottom = ratio[1], int(ratio[2]), int(ratio[3])
        if bottom == 0 or (whole and top >= bottom):
            return None
        return int(whole or 0) + Fraction(top, bottom)
    if power := _BARE_POWER.fullmatch(text):
        return _scaled(Fraction(1), power[1] or power[2])
    plain = _PLAIN.fullmatch(text)
    if not plain or (text[0] == "0" and re.match("0[0-9]{0,2}[, ]", text)):
        return None
    digits = plain[1].replace(",", "").replace(" ", "")
    return _scaled(Fraction(f"{digits}0" if digits.endswith(".") else digits), plain[2] or plain[3] or plain[4] or "0")


def _scaled(value: Fraction, exponent: str) -> Fraction | None:
    power = int(exponent)
    return value * Fraction(10) ** power if abs(power) <= LARGEST_EXPONENT else None


def _normal(text: str) -> str:
    """Return a text without what spellings differ in: case, runs of white space, a final stop, a leading article."""
    return _ARTICLE.sub("", " ".join(text.casefold().split()).rstrip(" ."), count=1)
