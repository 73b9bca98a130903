"""VerifiedEnv: the thin shell around question -> response -> verdict, for every task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from pydantic import BaseModel

from verienv.core.dialogue import Message, attempt_line, fresh, parts_of, question_message, turn_messages
from verienv.core.response import clean_response
from verienv.core.spaces import PrintableText, image_space
from verienv.core.verdict import Metric, Verdict

LONGEST_FEEDBACK = 160
LONGEST_RESPONSE = 4096

Picture = NDArray[np.uint8]
"""RGB, height x width x 3, read-only."""


class VerifiedEnv(gym.Env[dict[str, Any], str]):
    """An episode is a question, up to ``attempts`` responses to it, and a verdict on each.

    A task says what is dealt (``_deal``), asked (``_question``) and judged (``judge``), and, if a correct response
    leads to a further question, how (``_advance``). A task by sight says so (``_show_pictures``) and draws the picture
    of the current question (``_picture``), which happens once for each question.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}  # type: ignore[misc]

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """The task's splits, each a name for settings."""

    idle_metrics: ClassVar[dict[str, Metric]] = {}
    """The task's metrics before any response: they fix the keys and types in info."""

    metric_headings: ClassVar[dict[str, str]] = {}
    """What tables call those metrics, ratios and outcomes; one without a heading is kept, but not shown in tables."""

    ratios: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """For a task whose episodes hold several questions, its measures over attempts: each name stands for the share of
    attempts at which the first is true, among those at which the second is. Both are metrics of a verdict that are
    bool, or "is_correct", or "attempt", which is true at each."""

    outcomes: ClassVar[tuple[str, ...]] = ()
    """What of info measures a whole episode, read at its end."""

    perception: ClassVar[str] = ""
    """The metric that says whether the picture was read right, "" for a task in words."""

    failures: ClassVar[tuple[str, ...]] = ()
    """The kinds of failure that a response can be written for."""

    config: BaseModel
    """The settings, validated."""

    instance: str
    """The id of the instance in play."""

    def __init__(self, attempts: int, longest_question: int, render_mode: str | None = None) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode={render_mode!r}: expected None or one of {self.metadata['render_modes']}")
        self.render_mode = render_mode
        self.attempts = attempts
        self.observation_space = gym.spaces.Dict(
            {"text": PrintableText(longest_question + attempts * LONGEST_FEEDBACK + 64)}
        )
        self.action_space = PrintableText(LONGEST_RESPONSE)
        self._over = True
        self._messages: list[Message] = []
        self._verdict: Verdict | None = None
        self._image: Picture | None = None
        self._is_seen = self._writable_image = False

    def _show_pictures(self, size: tuple[int, int], writable: bool) -> None:
        """Make this a task by sight: observations bring a picture of this height and width too."""
        assert isinstance(self.observation_space, gym.spaces.Dict)  # noqa: S101 - made above
        self.observation_space = gym.spaces.Dict({**self.observation_space.spaces, "image": image_space(*size)})
        self._is_seen, self._writable_image = True, writable

    @abstractmethod
    def _deal(self, instance: str | None, rng: np.random.Generator) -> str:
        """Put an instance in play, the given one or one drawn with ``rng``; its id."""

    @abstractmethod
    def _question(self) -> str:
        """The current question, printable ASCII."""

    def _picture(self) -> Picture:
        """The picture of the current question, of the size told to ``_show_pictures``; not to be changed."""
        raise NotImplementedError(f"{type(self).__name__} is seen, so it must draw a picture")

    @abstractmethod
    def judge(self, response: str) -> Verdict:
        """The verdict on a response to the current question. Changes nothing."""

    @abstractmethod
    def expert_response(self, *, steps: bool = False) -> str:
        """A response that scores maximal on the current question; with ``steps``, its derivation first."""

    @abstractmethod
    def flawed_response(self, failure: str, rng: np.random.Generator) -> str | None:
        """A response that fails as ``failure`` says, or None if this instance allows none."""

    def constant_response(self) -> str:
        """What the baseline says that answers every question alike; asked once, at the first question."""
        return self.expert_response()

    @property
    @abstractmethod
    def cluster(self) -> str:
        """The unit of inference that the instance in play belongs to: instances that share it are not independent."""

    @property
    @abstractmethod
    def best_reward(self) -> float:
        """What a correct response earns."""

    @property
    def has_further_questions(self) -> bool:
        """Whether a correct response may lead to a further question: whether the task says how (``_advance``)."""
        return type(self)._advance is not VerifiedEnv._advance

    def _advance(self) -> bool:
        """After a correct response: go on to the next question and return False, or True if none is left."""
        return True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Deal. ``options={"instance": id}`` deals that instance, or raises ValueError where it cannot be held."""
        super().reset(seed=seed)
        instance = None
        if options:
            unknown = set(options) - {"instance"}
            if unknown:
                raise ValueError(f"reset options {sorted(unknown)} are unknown; accepted: 'instance'")
            instance = options.get("instance")
        derived = instance is not None and seed is None
        self.instance = self._deal(instance, _derived_rng(str(instance)) if derived else self.np_random)
        self._verdict = None
        self._solved = False
        self._ask()
        return self._observation(), self._info()

    def step(self, action: str) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Judge a response. Never raises on its content; one that is no string is read as an empty one."""
        if self._over:
            raise ResetNeeded("the episode is over (or none has begun): call reset() before step()")
        response = clean_response(action) if isinstance(action, str) else ""
        self._verdict = verdict = self.judge(response)
        self._attempt += 1
        self._feedback.append(verdict.feedback)
        self._over = verdict.is_correct or self._attempt == self.attempts
        self._messages += turn_messages(response, self._told())
        if verdict.is_correct:
            self._solved = self._advance()
            if not self._solved:
                self._ask()
        return self._observation(), verdict.reward, self._over, False, self._info()

    @property
    def is_seen(self) -> bool:
        """Whether this is a task by sight, whose questions come with a picture."""
        return self._is_seen

    @property
    def messages(self) -> list[Message]:
        """The dialogue as chat messages, a fresh list; as in info."""
        return fresh(self._messages)

    @property
    def pictures(self) -> list[Picture]:
        """The pictures that ``{"type": "image"}`` stands for in the messages, in order."""
        return [] if self._image is None else [self._image]

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the newest response, None before the first."""
        return self._verdict

    def render(self) -> str | Picture | None:
        """With ``render_mode="ansi"`` the dialogue so far as text, with "rgb_array" the picture."""
        if self.render_mode == "rgb_array":
            return self._image
        if self.render_mode != "ansi":
            return None
        speaker = {"user": "environment", "assistant": "policy"}
        return "\n\n".join(f"[{speaker[message['role']]}]\n{_text(message)}" for message in self._messages)

    def _ask(self) -> None:
        """Begin a dialogue with the current question."""
        self._text = self._question()
        self._attempt = 0
        self._feedback: list[str] = []
        self._over = False
        self._image = self._picture() if self._is_seen else None
        self._messages = [question_message(f"{self._text}\n{attempt_line(1, self.attempts)}", len(self.pictures))]

    def _told(self) -> str:
        """The newest feedback line and, while the episode lasts, the attempt line."""
        if self._over:
            return self._feedback[-1]
        return f"{self._feedback[-1]}\n{attempt_line(self._attempt + 1, self.attempts)}"

    def _observation(self) -> dict[str, Any]:
        lines = [self._text, *self._feedback]
        if not self._over:
            lines.append(attempt_line(self._attempt + 1, self.attempts))
        observation: dict[str, Any] = {"text": "\n".join(lines)}
        if self._image is not None:
            observation["image"] = self._own_image(self._image)
        return observation

    def _own_image(self, image: Picture) -> Picture:
        """Of the current question, the first observation holds the picture itself, a later one a copy of it.

        Gymnasium's checker wants no two observations to share memory, read-only or not.
        """
        if self._attempt == 0 and not self._writable_image:
            return image
        copy = image.copy()
        copy.flags.writeable = self._writable_image
        return copy

    def _info(self) -> dict[str, Any]:
        verdict = self._verdict
        return {
            "instance": self.instance,
            "attempt": self._attempt,
            "attempts_left": self.attempts - self._attempt,
            "is_correct": verdict.is_correct if verdict else False,
            "is_success": self._solved,
            "failure": verdict.failure if verdict else "",
            "feedback": verdict.feedback if verdict else "",
            "messages": self.messages,
            **(verdict.metrics if verdict else self.idle_metrics),
        }


def _derived_rng(instance: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(sha256(instance.encode()).digest()[:8], "big"))


def _text(message: Message) -> str:
    return "\n".join(part.get("text", "[picture]") for part in parts_of(message))
