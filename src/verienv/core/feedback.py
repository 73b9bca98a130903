"""Feedback: the line that a policy is told about its response. It holds no solution, nor the policy's own words."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from verienv.core import registered
from verienv.core.registered import Own, how_to_register
from verienv.core.shown import shown
from verienv.core.template import Template
from verienv.core.verdict import Verdict

LONGEST_FEEDBACK = 160
"""Characters of a line in a task's own words."""
LONGEST_LINE = 512
"""Characters of a line of the user's own; a longer one is cut."""
LONGEST_VALUE = 64
"""Characters of what stands in a slot."""

Slots = Callable[[Verdict], Mapping[str, str]]
Kinds = Mapping[str, tuple[str, ...]]
"""The kinds of failure of a task, each with the slots that its line may name."""


class Feedback(ABC):
    """A way to tell a policy about its response."""

    @property
    @abstractmethod
    def plain(self) -> str:
        """The value of the setting ``feedback`` as a text."""

    @abstractmethod
    def line(self, verdict: Verdict, slots: Slots, prompt: Callable[[], str]) -> str:
        """Return the line, printable ASCII.

        Args:
            verdict: with the feedback in the task's own words.
            slots: returns the texts of the slots of a verdict.
            prompt: returns what the prompt says.
        """

    def check(self, kinds: Kinds) -> None:  # noqa: B027 - most kinds of feedback suit any failures
        """Raise ValueError if this cannot be said to verdicts with these kinds of failure."""


@dataclass(frozen=True)
class Named(Feedback):
    """The task's own words ("default"), or only whether the response is right ("none")."""

    plain: str = "default"

    def line(self, verdict: Verdict, slots: Slots, prompt: Callable[[], str]) -> str:
        return verdict.feedback if self.plain == "default" else "Correct." if verdict.is_correct else "Wrong."


DEFAULT_FEEDBACK = Named()
NO_FEEDBACK = Named("none")


@dataclass(frozen=True)
class Lines(Feedback):
    """A template for each kind of failure, such as ``{"wrong_value": "It makes {value}."}``.

    Attributes:
        lines: pairs of a kind of failure and its template; "correct" is the line to a right response, "wrong" to every
            failure that has none of its own; it may name the slots that all have. Without those the task's words
            remain.
    """

    lines: tuple[tuple[str, str], ...]

    @property
    def plain(self) -> str:
        return json.dumps(dict(self.lines))

    def line(self, verdict: Verdict, slots: Slots, prompt: Callable[[], str]) -> str:
        known = dict(self.lines)
        kind = verdict.failure or "correct"
        template = known.get(kind, verdict.feedback if verdict.is_correct else known.get("wrong"))
        if template is None:
            return verdict.feedback
        values, line = slots(verdict) if "{" in template else {}, Template(template)
        return one_line(line.fill({slot: str(values.get(slot, ""))[:LONGEST_VALUE] for slot in line.slots}))

    def check(self, kinds: Kinds) -> None:
        shared = [slot for slot in next(iter(kinds.values()), ()) if all(slot in slots for slots in kinds.values())]
        named = {**kinds, "correct": (), "wrong": tuple(shared)}
        for kind, template in self.lines:
            if kind not in named:
                raise ValueError(f"feedback: {shown(kind)} is no kind of failure; expected some of {', '.join(named)}")
            one_line_template(kind, template, named[kind])


class OwnFeedback(Own, Feedback):
    """A function of the user's own: from a verdict, and what the prompt told, to a line; a longer one is cut.

    The verdict is a copy without its reason, and neither question nor expert are handed over: it cannot tell the
    solution by accident.
    """

    kind = "feedback"
    setting = "feedback"

    @property
    def plain(self) -> str:
        return self.name

    def line(self, verdict: Verdict, slots: Slots, prompt: Callable[[], str]) -> str:
        said = self.value(verdict.model_copy(update={"reason": "", "feedback": ""}, deep=True), prompt())
        if not isinstance(said, str):
            raise ValueError(f"feedback={shown(self.value)} returned {shown(said)}; expected a line")
        return one_line(said)


def parse_feedback(given: Any) -> Feedback:
    """Return the feedback that a value of the setting means: a name, a mapping (or its JSON), or a function.

    Raises:
        ValueError: says what is accepted.
    """
    if isinstance(given, Feedback):
        return given
    lines = given
    if isinstance(given, str):
        if given in registered.BUILT_IN["feedback"]:
            return DEFAULT_FEEDBACK if given == "default" else NO_FEEDBACK
        if given.startswith("{"):
            try:
                lines = json.loads(given)
            except (ValueError, RecursionError):
                lines = None
    if isinstance(lines, Mapping) and lines and all(isinstance(text, str) for pair in lines.items() for text in pair):
        return Lines(tuple(lines.items()))
    found = OwnFeedback.of(given) if not isinstance(given, Mapping) else None
    if found is None:
        raise ValueError(
            f"feedback={shown(given)}: expected {', '.join(registered.names('feedback'))}, a mapping from kinds of "
            f"failure to lines, or a function{how_to_register('feedback', given)}"
        )
    return found


def one_line_template(kind: str, template: str, slots: tuple[str, ...]) -> None:
    """Raise ValueError unless a template is a line of printable ASCII with some of these slots."""
    given = f"feedback[{kind!r}]={shown(template)}"
    if len(template) > LONGEST_LINE or one_line(template) != template:
        raise ValueError(f"{given}: expected one line of at most {LONGEST_LINE} characters of printable ASCII")
    try:
        named = Template(template).slots
    except ValueError as error:
        raise ValueError(f"{given}: {error}") from None
    for name in named:
        if name not in slots:
            accepted = ", ".join(f"{{{slot}}}" for slot in slots) or "no slot"
            why = ", which every kind of failure has" if kind == "wrong" else ""
            raise ValueError(f"{given}: {{{name}}} is no slot there; it may name {accepted}{why}")


def one_line(text: str) -> str:
    """Return a text as one line of printable ASCII of at most 512 characters."""
    text = " ".join(text[: 4 * LONGEST_LINE].split())
    if not text.isascii() or not text.isprintable():
        text = "".join([sign if " " <= sign <= "~" else "?" for sign in text])
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 3] + "..."
