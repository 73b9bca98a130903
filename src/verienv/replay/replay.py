"""Replay: an episode as data, with no environment, and no words of a policy that are anything but text."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from verienv.core.scene import Scene
from verienv.core.verdict import Verdict, total

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = (80, 50, 20)
"""Qualities of packed pictures: the first at which a picture is small enough is taken, or the last."""

LONGEST_CHOICE = 80
"""Characters of a setting that are shown; templates are longer."""

MOST_BYTES = 200_000
"""The size that is small enough: twenty pictures and maps make a page of less than 6 MB."""

_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Picture:
    """A picture as a replay holds it.

    Attributes:
        webp: the file's bytes.
        size: width and height in px.
    """

    webp: bytes
    size: tuple[int, int]

    @classmethod
    def of(cls, image: Image) -> Picture:
        """Pack an RGB image."""
        for quality in QUALITIES:
            file = BytesIO()
            image.save(file, "WEBP", quality=quality)
            if file.tell() <= MOST_BYTES:
                break
        return cls(file.getvalue(), image.size)

    def image(self) -> Image:
        """Unpack the image."""
        from PIL import Image

        return Image.open(BytesIO(self.webp)).convert("RGB")


@dataclass(frozen=True)
class ShownQuestion:
    """A question, which one or more attempts answer.

    Attributes:
        number: its place in the replay, from 1.
        pictures: the pictures of the question.
        scene: the parts shown beside its text; the map is in ``map``.
        map: the map of the route, None in other tasks.
        system: the system prompt, "" for none.
    """

    number: int
    pictures: tuple[Picture, ...] = ()
    scene: Scene = field(default_factory=Scene)
    map: Picture | None = None
    system: str = ""


@dataclass(frozen=True)
class Frame:
    """An attempt.

    Attributes:
        question: the question.
        attempt: the number of the attempt at this question, from 1.
        text: the text that the policy was given, as in the observation.
        response: the words of the policy.
        verdict: the verdict of the verifier.
        deciding: the field of the answer that decides, "" where the task names none.
    """

    question: ShownQuestion
    attempt: int
    text: str
    response: str
    verdict: Verdict
    deciding: str = ""

    @property
    def dialogue(self) -> str:
        """The text without the system prompt."""
        return self.text.removeprefix(f"{self.question.system}\n\n") if self.question.system else self.text

    @property
    def said(self) -> str:
        """The field of the answer that decides, or its only one, as it was read in the question's own format.

        "" if it is no text.
        """
        fields = self.verdict.answer
        said = fields.get(self.deciding) if self.deciding or len(fields) != 1 else next(iter(fields.values()))
        return said if isinstance(said, str) else ""

    @property
    def title(self) -> str:
        """The place in the replay: "Step 3", or "Step 3, attempt 2"."""
        return f"Step {self.question.number}" + (f", attempt {self.attempt}" if self.attempt > 1 else "")

    @property
    def label(self) -> str:
        """The place in short: "3", or "3.2"."""
        return str(self.question.number) + (f".{self.attempt}" if self.attempt > 1 else "")

    @property
    def gist(self) -> str:
        """The response in one short line: its action or formula, else its beginning."""
        line = " ".join((self.said or self.response)[:200].split())
        return visible(line if len(line) <= 60 else f"{line[:57]}...") or "(nothing)"

    @property
    def picture(self) -> Picture | None:
        """The picture that stands for the frame: that of the question, or else the map."""
        return self.question.pictures[0] if self.question.pictures else self.question.map


@dataclass(frozen=True)
class Replay:
    """An episode, or part of one.

    Attributes:
        env_id: the environment's id.
        instance: the id of the instance.
        settings: the split, and the settings that are not the default.
        by: the player, in words.
        frames: the attempts, at least one.
        over: whether the episode came to its end.
        success: whether it was solved.
        subject: the instance in words: where a route leads; "" in other tasks.
        attribution: the owner of the maps' data, "" where there is none to name.
    """

    env_id: str
    instance: str
    settings: Mapping[str, Any]
    by: str
    frames: tuple[Frame, ...]
    over: bool
    success: bool
    subject: str = ""
    attribution: str = ""
    reward: float = field(init=False)
    """The sum of the rewards."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reward", total(frame.verdict.reward for frame in self.frames))

    @property
    def outcome(self) -> str:
        """The end in a word: "solved", "not solved" or "unfinished"."""
        return ("solved" if self.success else "not solved") if self.over else "unfinished"

    @property
    def choices(self) -> list[str]:
        """The settings, each as "name=value" in one line; of a long value its beginning."""
        shown = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.settings.items()
        }
        lines = [f"{name}={' '.join(value.split())}" for name, value in shown.items()]
        return [line if len(line) <= LONGEST_CHOICE else f"{line[: LONGEST_CHOICE - 3]}..." for line in lines]


def visible(text: str) -> str:
    """Make visible all that has no shape of its own: control characters as their symbols, marks that turn
    the direction of writing and lone surrogates by number. Newlines stay."""
    if text.isascii() and text.replace("\n", " ").isprintable():
        return text
    return "".join(map(_shape, text))


def _shape(character: str) -> str:
    code = ord(character)
    if character == "\n":
        return character
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\u2421"
    if character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return f"[U+{code:04X}]"
    return character
