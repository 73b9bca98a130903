"""VerifiedEnv: the thin shell around question -> response -> verdict, for every task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from pydantic import BaseModel

from verienv.core.dialogue import Message, attempt_line, fresh, question_message, turn_messages
from verienv.core.response import clean_response
from verienv.core.spaces import PrintableText
from verienv.core.verdict import Metric, Verdict

LONGEST_FEEDBACK = 160
LONGEST_RESPONSE = 4096


class VerifiedEnv(gym.Env[dict[str, Any], str]):
    """An episode is a question, up to ``attempts`` responses to it, and a verdict on each.

    A task says what is dealt (``_deal``), asked (``_question``) and judged (``judge``), and, if a correct response
    leads to a further question, how (``_advance``).
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}  # type: ignore[misc]

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """The task's splits, each a name for settings."""

    idle_metrics: ClassVar[dict[str, Metric]] = {}
    """The task's metrics before any response: they fix the keys and types in info."""

    metric_headings: ClassVar[dict[str, str]] = {}
    """What tables call those metrics."""

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

    @abstractmethod
    def _deal(self, instance: str | None, rng: np.random.Generator) -> str:
        """Put an instance in play, the given one or one drawn with ``rng``; its id."""

    @abstractmethod
    def _question(self) -> str:
        """The current question, printable ASCII."""

    @abstractmethod
    def judge(self, response: str) -> Verdict:
        """The verdict on a response to the current question. Changes nothing."""

    @abstractmethod
    def expert_response(self, *, steps: bool = False) -> str:
        """A response that scores maximal on the current question; with ``steps``, its derivation first."""

    @abstractmethod
    def flawed_response(self, failure: str, rng: np.random.Generator) -> str | None:
        """A response that fails as ``failure`` says, or None if this instance allows none."""

    @property
    @abstractmethod
    def cluster(self) -> str:
        """The unit of inference that the instance in play belongs to: instances that share it are not independent."""

    @property
    @abstractmethod
    def best_reward(self) -> float:
        """What a correct response earns."""

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
    def messages(self) -> list[Message]:
        """The dialogue as chat messages, a fresh list; as in info."""
        return fresh(self._messages)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the newest response, None before the first."""
        return self._verdict

    def render(self) -> str | None:
        """With ``render_mode="ansi"``, the dialogue so far as text."""
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
        self._messages = [question_message(f"{self._text}\n{attempt_line(1, self.attempts)}")]

    def _told(self) -> str:
        """The newest feedback line and, while the episode lasts, the attempt line."""
        if self._over:
            return self._feedback[-1]
        return f"{self._feedback[-1]}\n{attempt_line(self._attempt + 1, self.attempts)}"

    def _observation(self) -> dict[str, Any]:
        lines = [self._text, *self._feedback]
        if not self._over:
            lines.append(attempt_line(self._attempt + 1, self.attempts))
        return {"text": "\n".join(lines)}

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
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "[picture]") for part in content)
