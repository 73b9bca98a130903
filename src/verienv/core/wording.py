"""Wording: how a question is put, how its answer is asked for, and what is said to a wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from verienv.core import registered
from verienv.core.answer_format import JSON, AnswerFormat, Shape
from verienv.core.feedback import DEFAULT_FEEDBACK, Feedback, Kinds, parse_feedback
from verienv.core.formats import parse_format
from verienv.core.registered import Own, how_to_register
from verienv.core.shown import shown
from verienv.core.template import Template

LONGEST_TEMPLATE = 8192
"""Characters of a template, and of a system prompt."""
LONGEST_PROMPT = 32_768
"""Characters of a question that a function of the user's own writes."""
MOST_USES = 4
"""Times that a template may name one slot."""

THINK_FIRST = "Think step by step first, then answer."
"""The line that asks for reasoning."""


class Slots(NamedTuple):
    """The slots of a task's templates: those that every template must name, and those that it may."""

    needed: tuple[str, ...]
    others: tuple[str, ...]


class OwnPrompt(Own):
    """A function of the user's own, from the slots of a question, as texts, to the question in words."""

    kind = "prompt"
    setting = "prompt"


def parse_prompt(given: Any) -> str | OwnPrompt:
    """Return a value of the setting ``prompt``: a style's name, a template, or a function of the user's own.

    Raises:
        ValueError: says what is accepted.
    """
    if isinstance(given, str):
        if given in registered.BUILT_IN["prompt"] or "{" in given:
            return given
        if registered.find("prompt", given) is None:
            accepted = f"expected {', '.join(registered.names('prompt'))}, a template with slots, or a function"
            raise ValueError(f"prompt={shown(given)}: {accepted}{how_to_register('prompt', given)}")
    found = OwnPrompt.of(given)
    if found is None:
        raise ValueError(f"prompt={shown(given)}: expected a text or a function")
    return found


@lru_cache(maxsize=256)
def check_template(text: str, slots: Slots) -> Template:
    """Return the template of a text. Raises ValueError if it may not stand in a prompt with these slots."""
    check_text("prompt", text)
    template = Template(text)
    try:
        odd = next((slot for slot in template.slots if not slot.isidentifier()), None)
    except ValueError as error:
        raise ValueError(f"prompt={shown(text)}: {error}") from None
    if odd is not None:
        written = shown("{" + odd + "}")
        raise ValueError(f"prompt={shown(text)}: {written} is no slot: slots are plain names, such as {{format}}")
    accepted = f"it must name {_braced(slots.needed)}, and may name {_braced(slots.others)}"
    if unknown := [name for name in template.slots if name not in (*slots.needed, *slots.others)]:
        raise ValueError(f"prompt={shown(text)}: unknown slot {_braced(unknown)}; {accepted}")
    if missing := [name for name in slots.needed if name not in template.slots]:
        raise ValueError(f"prompt={shown(text)}: the slot {_braced(missing)} is missing; {accepted}")
    if often := [name for name in template.slots if template.slots.count(name) > MOST_USES]:
        raise ValueError(f"prompt={shown(text)}: {_braced(often[:1])} more than {MOST_USES} times")
    return template


def check_text(setting: str, text: str, most: int = LONGEST_TEMPLATE) -> str:
    """Return a text of at most ``most`` characters of printable ASCII. Raises ValueError that names the other."""
    if len(text) > most:
        raise ValueError(f"{setting}: {len(text)} characters; expected at most {most}")
    if odd := _NOT_PRINTABLE.search(text):
        raise ValueError(
            f"{setting}={shown(text)}: {odd.group()!a} at character {odd.start()} is not printable ASCII, which "
            "observations hold"
        )
    return text


_NOT_PRINTABLE = re.compile(r"[^\n -~]")


def _braced(names: Any) -> str:
    return ", ".join(f"{{{name}}}" for name in dict.fromkeys(names))


@dataclass(frozen=True)
class Wording:
    """How questions are put and answered. Pure; the same for every question of an environment.

    Attributes:
        prompt: a template or a function of the user's own; None for the task's phrasings.
        system_prompt: the message before the question, "" for none.
        think_first: whether the question asks for reasoning before the answer.
        answer_format: how the answer is asked for and read.
        feedback: the words to a verdict.
    """

    prompt: Template | OwnPrompt | None = None
    system_prompt: str = ""
    think_first: bool = False
    answer_format: AnswerFormat = JSON
    feedback: Feedback = field(default=DEFAULT_FEEDBACK)

    def tells(self, attempts: str, prompt: str) -> bool:
        """Whether a prompt of this wording holds the line on attempts already, so that it is not appended.

        Nothing is appended to a template without slots either: it is a prompt that somebody else wrote, whole.
        """
        if isinstance(self.prompt, Template):
            return not self.prompt.slots or "attempts" in self.prompt.slots
        return self.prompt is not None and attempts in prompt

    def write(self, slots: Callable[[], Mapping[str, str]], phrasing: Callable[[], str]) -> str:
        """Return the question in words.

        Args:
            slots: returns the task's slots as texts.
            phrasing: returns the question in the task's own words, with the instruction of the answer format.

        Raises:
            ValueError: a function of the user's own wrote what no prompt may be.
        """
        if isinstance(self.prompt, Template):
            text = self.prompt.fill(slots())
        elif self.prompt is not None:
            text = self.prompt.value(dict(slots()))
            if not isinstance(text, str):
                raise ValueError(f"prompt={shown(self.prompt.value)} returned {shown(text)}; expected a text")
            check_text(f"what prompt={shown(self.prompt.value)} returned", text, LONGEST_PROMPT)
        else:
            text = phrasing()
        return f"{text}\n{THINK_FIRST}" if self.think_first else text

    def before(self, text: str) -> str:
        """Return the words of a dialogue behind the system prompt."""
        return f"{self.system_prompt}\n\n{text}" if self.system_prompt else text

    def longest(self, question: int, shape: Shape) -> int:
        """Return the greatest length of a prompt, where one in the task's own words has at most ``question``."""
        told = len(self.answer_format.instruction(shape)) + len(THINK_FIRST) + len(self.system_prompt) + 4
        if isinstance(self.prompt, Template):
            return len(self.prompt.text) + MOST_USES * (question + told) + told
        return (question if self.prompt is None else max(question, LONGEST_PROMPT)) + told

    def check(self, slots: Slots, shape: Shape, kinds: Kinds) -> None:
        """Raise ValueError unless questions with these slots, answers and failures can be put, answered and replied to.

        Args:
            slots: of templates.
            shape: the parts of an answer.
            kinds: the kinds of failure, each with the slots of its feedback.
        """
        if isinstance(self.prompt, Template):
            check_template(self.prompt.text, slots)
        self.answer_format.check(shape)
        check_text("the instruction of answer_format", self.answer_format.instruction(shape))
        self.feedback.check(kinds)

    def columns(self) -> dict[str, Any]:
        """Return the columns of a row. Raises ValueError for an object of the user's own without a name."""
        prompt = self.prompt
        return {
            "prompt_template": prompt.text if isinstance(prompt, Template) else prompt.name if prompt else "",
            "system_prompt": self.system_prompt,
            "think_first": self.think_first,
            "answer_format": self.answer_format.name,
            "feedback_lines": self.feedback.plain,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any], slots: Slots) -> Wording:
        """Read those columns; None and columns that are missing are the default.

        Raises:
            ValueError: names the column that is wrong.
        """

        if all(row.get(name) in (None, default) for name, default in _DEFAULTS):
            return PLAIN

        def given(name: str, kind: type, default: Any) -> Any:
            value = row.get(name)
            if kind is bool and type(value) is int and value in (0, 1):  # a table with gaps makes numbers of bools
                value = bool(value)
            if value is not None and not isinstance(value, kind):
                raise ValueError(f"{name}={shown(value)}: expected a {kind.__name__}")
            return default if value is None else value

        prompt = meant_by(parse_prompt(given("prompt_template", str, "") or "default"))
        return cls(
            prompt=check_template(prompt.text, slots) if isinstance(prompt, Template) else prompt,
            system_prompt=check_text("system_prompt", given("system_prompt", str, "")),
            think_first=given("think_first", bool, False),
            answer_format=parse_format(given("answer_format", str, JSON.name)),
            feedback=parse_feedback(given("feedback_lines", str, "default")),
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies of ``PLAIN``, in other processes too, are ``PLAIN`` itself."""
        return "PLAIN" if self is PLAIN else super().__reduce_ex__(protocol)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Hold an instance: as plain data it is ``columns``."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)


def kept_prompt(text: str) -> Wording:
    """Return the wording that asks in these words alone, such as those of a published row.

    Raises:
        ValueError: for a text that is not printable ASCII, too long, or without a brace, by which rows know a template.
    """
    if "{" not in text:
        raise ValueError(f"prompt={shown(text)}: expected one that shows the form of an answer, with its braces")
    template = Template(text.replace("{", "{{").replace("}", "}}"))
    return Wording(prompt=check_template(template.text, Slots((), ())))


def meant_by(prompt: str | OwnPrompt) -> Template | OwnPrompt | None:
    """Return what a value of the setting ``prompt`` means; None for the task's phrasings."""
    return prompt if isinstance(prompt, OwnPrompt) else Template(prompt) if "{" in prompt else None


PLAIN = Wording()
"""The wording of questions where no setting says otherwise."""

_DEFAULTS = tuple(PLAIN.columns().items())

COLUMNS = tuple(PLAIN.columns())
"""The columns of rows that hold a wording."""
