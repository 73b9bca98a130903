"""Settings of wording, answer format and feedback, for tasks whose questions are worded by them."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, InstanceOf, PlainSerializer, field_validator, model_validator

from verienv.core.answer_format import JSON, AnswerFormat, Shape
from verienv.core.config import TaskConfig
from verienv.core.feedback import DEFAULT_FEEDBACK, LONGEST_FEEDBACK, LONGEST_LINE, Feedback, Kinds, parse_feedback
from verienv.core.formats import parse_format
from verienv.core.registered import Own
from verienv.core.shown import shown
from verienv.core.wording import PLAIN, OwnPrompt, Slots, Wording, check_text, meant_by, parse_prompt


class WordedConfig(TaskConfig):
    """The settings of a task whose questions can be worded, answered and replied to in the user's own way.

    Attributes:
        prompt: "default"; "diverse" for a phrasing of the task's own, drawn with the instance; a template with named
            slots; or a function from the slots, as texts, to the question.
        system_prompt: a message before the question.
        think_first: whether the question asks for reasoning before the answer.
        answer_format: "json"; "tags" (``<answer>...</answer>``), "boxed" or "line" (the last), and with "+" the further
            fields that it asks for; or an object with ``instruction`` and ``read(response)``.
        feedback: "default"; "none" (only that it was wrong); a mapping from kinds of failure to lines; or a function
            from the verdict, and what the prompt told, to a line.
    """

    prompt: Annotated[str | OwnPrompt, BeforeValidator(parse_prompt)] = "default"
    system_prompt: str = ""
    think_first: bool = Field(default=False, strict=True)
    answer_format: Annotated[
        InstanceOf[AnswerFormat],
        BeforeValidator(parse_format),
        PlainSerializer(lambda chosen: chosen.name, when_used="json"),
    ] = JSON
    feedback: Annotated[
        InstanceOf[Feedback],
        BeforeValidator(parse_feedback),
        PlainSerializer(lambda chosen: chosen.plain, when_used="json"),
    ] = DEFAULT_FEEDBACK

    shape: ClassVar[Shape]
    """The shape of the task's answers, whatever the instance."""

    kinds: ClassVar[Kinds]
    """The kinds of failure, each with the slots of its feedback."""

    @property
    def slots(self) -> Slots:
        """The slots that a template may name under these settings."""
        raise NotImplementedError(f"{type(self).__name__}.slots: give the slots of the task's templates")

    @field_validator("system_prompt", mode="after")
    @classmethod
    def _is_printable(cls, text: str) -> str:
        return check_text("system_prompt", text)

    @model_validator(mode="after")
    def _suits_the_task(self) -> WordedConfig:
        self.wording.check(self.slots, self.shape, self.kinds)
        tags, form = getattr(self, "reasoning_tags", ()), self.answer_format
        if tags and not isinstance(form, Own):
            written = form.write({self.shape.key.field: "stop()"}, self.shape)
            if form.read(written, self.shape, reasoning_tags=tags) is None:
                raise ValueError(
                    f"reasoning_tags={shown(tags)}: answers such as {written} would be reasoning; give other tags, or "
                    "None"
                )
        return self

    @cached_property
    def wording(self) -> Wording:
        """The wording of every question under these settings."""
        prompt = meant_by(self.prompt)
        wording = Wording(prompt, self.system_prompt, self.think_first, self.answer_format, self.feedback)
        return PLAIN if wording == PLAIN else wording


def wording_of(config: Any) -> Wording:
    """Return the wording that the settings of any task mean."""
    return config.wording if isinstance(config, WordedConfig) else PLAIN


def longest_text(config: TaskConfig, question: int) -> int:
    """Return the greatest length of a dialogue under these settings, where the task's own prompt has at most so many.

    Args:
        config: of any task.
        question: characters.
    """
    line = LONGEST_FEEDBACK
    if isinstance(config, WordedConfig) and config.wording is not PLAIN:
        question, line = config.wording.longest(question, config.shape), LONGEST_LINE
    return question + config.attempts * line + 64
