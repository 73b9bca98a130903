"""Replay: an episode as data, with no environment, and no words of a policy that are anything but text."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from verienv.core.scene import Scene
from verienv.core.verdict import Verdict

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = (80, 50, 20)
"""Of pictures: the first at which one is small enough, or the last."""

MOST_BYTES = 200_000
"""What is small enough: twenty pictures and maps make a page of less than 6 MB."""

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
        """An RGB image, packed."""
        for quality in QUALITIES:
            file = BytesIO()
            image.save(file, "WEBP", quality=quality)
            if file.tell() <= MOST_BYTES:
                break
        return cls(file.getvalue(), image.size)

    def image(self) -> Image:
        """The image, unpacked."""
        from PIL import Image

        return Image.open(BytesIO(self.webp)).convert("RGB")


@dataclass(frozen=True)
class ShownQuestion:
    """A question, which one or more attempts answer.

    Attributes:
        number: its place in the replay, from 1.
        pictures: the pictures of the question.
        scene: what is shown beside its text; the map is packed here.
        map: the map of the route, None in other tasks.
    """

    number: int
    pictures: tuple[Picture, ...] = ()
    scene: Scene = field(default_factory=Scene)
    map: Picture | None = None


@dataclass(frozen=True)
class Frame:
    """An attempt.

    Attributes:
        question: the question.
        attempt: at this question, from 1.
        text: all that the policy was told, as the observation has it.
        response: its words.
        verdict: the verifier's.
        deciding: the field of the answer that decides, "" where answers have none.
    """

    question: ShownQuestion
    attempt: int
    text: str
    response: str
    verdict: Verdict
    deciding: str = ""

    @property
    def title(self) -> str:
        """Where this is: "Step 3", or "Step 3, attempt 2"."""
        return f"Step {self.question.number}" + (f", attempt {self.attempt}" if self.attempt > 1 else "")

    @property
    def label(self) -> str:
        """The same in short: "3", or "3.2"."""
        return str(self.question.number) + (f".{self.attempt}" if self.attempt > 1 else "")

    @property
    def gist(self) -> str:
        """The deed in one short line: the action or formula, else the beginning of the response."""
        said = self.verdict.answer.get(self.deciding)
        words = said if isinstance(said, str) else self.response
        line = " ".join(words[:200].split())
        return visible(line if len(line) <= 60 else f"{line[:57]}...") or "(nothing)"

    @property
    def picture(self) -> Picture | None:
        """The picture that stands for the frame: what is seen, or else the map."""
        return self.question.pictures[0] if self.question.pictures else self.question.map


@dataclass(frozen=True)
class Replay:
    """An episode, or part of one.

    Attributes:
        env_id: the environment's id.
        instance: what was dealt.
        settings: the split, and what else is not the default.
        by: who played.
        frames: the attempts, at least one.
        over: whether the episode came to its end.
        success: whether it was solved.
        subject: the instance in words: where a route leads; "" in other tasks.
        attribution: whose the data of the maps is, "" where there is none to name.
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
        object.__setattr__(self, "reward", sum(frame.verdict.reward for frame in self.frames))

    @property
    def outcome(self) -> str:
        """How it ended, in a word."""
        return ("solved" if self.success else "not solved") if self.over else "unfinished"

    @property
    def choices(self) -> list[str]:
        """The settings, each as "name=value"."""
        told = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.settings.items()
        }
        return [f"{name}={value}" for name, value in told.items()]


def visible(text: str) -> str:
    """The text with what has no shape of its own made visible: control characters as their symbols, marks that turn
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
