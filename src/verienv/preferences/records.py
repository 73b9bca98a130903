"""Records of preferences: pairs of responses, the labels that somebody gave them, and the program's verdicts.

The three lie in files of their own. A pair says nothing about which response is better; a label says who gave it; the
verdicts are opened by neither a labeller nor a trainer, but by those who measure labels and by the program as labeller.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from verienv.core.verdict import Verdict

Side = Literal["a", "b"]
Choice = Literal["a", "b", "tie", "skip", "undo"]
Kind = Literal["human", "judge", "simulated", "program"]
Relation = Literal["self", "family", "other", ""]
"""Relation of a judge to the policy whose responses it compares: the same one, one of its family, or another one."""

LONGEST_TEXT = 2**17
"""Characters of a response or of a part of a prompt."""
MOST_PARTS = 64
"""Messages of a prompt, parts of a message, pictures of a pair."""


Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Id = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,1000}$")]
Fact = Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,4000}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/@+-]{0,99}$")]
"""Name of an annotator: a pseudonym of a person, or the name of a judge."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=2**53)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextPart(_Record):
    """Words within a message that has a picture."""

    type: Literal["text"]
    text: Text


class ImagePart(_Record):
    """Place of a picture within a message."""

    type: Literal["image"]


class PromptMessage(_Record):
    """A chat message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: Text | Annotated[tuple[TextPart | ImagePart, ...], Field(max_length=MOST_PARTS)]


class Pair(_Record):
    """A question and two responses that a policy sampled to it; nothing says which is better.

    Attributes:
        pair: id of the pair.
        prompt: chat messages that the policy answered.
        a, b: responses, in an order drawn by chance.
        images: paths of the pictures, relative to the folder of the file, one for each place in the prompt.
        env_id, split, instance, cluster, question: where the question comes from; pairs of one ``cluster`` are not
            independent, and those of one ``question`` (the id of its row) share it.
        policy, temperature, seed: what sampled the responses.
    """

    pair: Id
    prompt: Annotated[tuple[PromptMessage, ...], Field(min_length=1, max_length=MOST_PARTS)]
    a: Text
    b: Text
    images: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=MOST_PARTS)] = ()
    env_id: Fact
    split: Fact
    instance: Fact
    cluster: Fact
    question: Fact
    policy: Annotated[Text, Field(max_length=300)] = ""
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    seed: Count = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = [part for message in self.prompt if not isinstance(message.content, str) for part in message.content]
        places = sum(part.type == "image" for part in parts)
        if places != len(self.images):
            raise ValueError(f"{len(self.images)} images, but {places} places for them in the prompt")
        return self

    @property
    def words(self) -> str:
        """The prompt in one text, without its pictures."""
        said = []
        for message in self.prompt:
            parts = message.content
            texts = [parts] if isinstance(parts, str) else [part.text for part in parts if isinstance(part, TextPart)]
            said.append("\n".join(texts))
        return "\n\n".join(said)


class Label(_Record):
    """One label, whoever gave it. Labels are added to a file, never changed in it.

    Attributes:
        pair: id of the pair.
        annotator: who labels, a person by a pseudonym.
        kind: of annotator. "program" and "simulated" ones read the verdicts, "human" and "judge" ones cannot.
        choice: the better response; "tie", "skip" (no label), or "undo", which takes back the annotator's label before.
        p: probability that a is better, where the annotator gives one.
        shown_first: the response that was shown first, or on the left; "" where none was, or each was once.
        repeat: 0, or 1 where a pair is asked again to see whether the annotator agrees with itself.
        seconds: spent, pauses included; 0 where nobody measured.
        at: time, ISO 8601.
        guidelines: SHA-256 of the guidelines that the annotator was given, "" for none.
        model, prompt_tokens, completion_tokens: of a judge.
        p_orders: probabilities that a is better of an annotator who was shown the pair in both orders: where a was
            shown first, and where b was. ``p`` is their mean.
        relation: of a judge to the policy that sampled the pair; "" where nobody knows.
    """

    pair: Id
    annotator: Name
    kind: Kind
    choice: Choice
    p: Share | None = None
    shown_first: Side | Literal[""] = ""
    repeat: Annotated[int, Field(ge=0, le=1)] = 0
    seconds: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 0.0
    at: Annotated[str, Field(pattern=r"^[0-9T:.Z+-]{0,40}$")] = ""
    guidelines: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    model: Annotated[Text, Field(max_length=300)] = ""
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    p_orders: tuple[Share, Share] | None = None
    relation: Relation = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.p is not None and ((self.choice == "a" and self.p < 0.5) or (self.choice == "b" and self.p > 0.5)):
            raise ValueError(f"choice={self.choice}, but p={self.p:g}: expected the probability that a is better")
        return self

    @property
    def flip(self) -> bool | None:
        """Whether the response that is preferred is another one in the other order; None for a label of one order."""
        if self.p_orders is None:
            return None
        one, other = self.p_orders
        return (one - 0.5) * (other - 0.5) < 0

    @property
    def key(self) -> tuple[str, str, int]:
        """Place of the label: of several with one key the last one counts."""
        return self.pair, self.annotator, self.repeat

    @property
    def soft(self) -> float | None:
        """Probability that a is better, as this label has it; None where it is none."""
        if self.choice in ("skip", "undo"):
            return None
        return self.p if self.p is not None else {"a": 1.0, "b": 0.0, "tie": 0.5}[self.choice]


class Judgement(_Record):
    """A model's answer to a pair that it was shown in one order, kept so that it is never asked for again.

    Attributes:
        key: SHA-256 of all that was asked, the model and its sampling included.
        pair, model: for the reader; the key alone counts.
        shown_first: the response that was shown first.
        p: probability that this one is better; None where the answer tells none.
        mass: probability of all answers that count as one, where the model tells it.
        said: end of the answer in words, "" where none were asked for.
        prompt_tokens, completion_tokens: of the request.
    """

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    pair: Id
    model: Annotated[Text, Field(max_length=300)]
    shown_first: Side
    p: Share | None = None
    mass: Share | None = None
    said: Annotated[Text, Field(max_length=2000)] = ""
    prompt_tokens: Count = 0
    completion_tokens: Count = 0


class PairVerdicts(_Record):
    """The program's verdicts on both responses of a pair, with the ``cluster`` of its question."""

    pair: Id
    cluster: Fact
    a: Verdict
    b: Verdict

    @property
    def better(self) -> Literal["a", "b", "tie"]:
        """The response of the higher reward."""
        if self.a.reward == self.b.reward:
            return "tie"
        return "a" if self.a.reward > self.b.reward else "b"


def hash_of(guidelines: str) -> str:
    """Return the SHA-256 of guidelines, as a label holds it; "" for none."""
    return sha256(guidelines.encode()).hexdigest() if guidelines else ""
