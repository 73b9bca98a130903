"""VerifiedEnv: the Gymnasium environment around an episode, for every task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Any, ClassVar, Literal, get_args

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from verienv.core.config import TaskConfig, read_changes, validate
from verienv.core.dialogue import Message, parts_of
from verienv.core.episode import Episode
from verienv.core.question import Picture, Question, check_question
from verienv.core.shown import shown
from verienv.core.spaces import PrintableText, image_space
from verienv.core.task import Measures, Task
from verienv.core.text_picture import draw_turns
from verienv.core.verdict import Verdict
from verienv.core.worded_config import longest_text, wording_of

LONGEST_RESPONSE = 4096


class VerifiedEnv(gym.Env[dict[str, Any], str]):
    """An episode is a question, up to ``attempts`` responses to it, and a verdict on each; a task may go on from there.

    A task's environment names its ``task`` and ``settings`` and says how a question is dealt (``deal``); all else is
    said by the question and the task. One with pictures calls ``show_pictures`` once, when it is made.

    Args:
        render_mode: None, "ansi" for the dialogue as text, or "rgb_array" for a picture: the one that is shown, in
            words the dialogue itself.
        info: "full"; "text" for info without the dialogue (``messages``), which libraries that stack the infos of an
            episode cannot hold; "numbers" for neither it nor any other text, as tensors want it.
        settings: those of the task.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 1}  # type: ignore[misc]

    task: ClassVar[Task]

    settings: ClassVar[type[TaskConfig]] = TaskConfig
    """The model of its keyword arguments."""

    longest_question: ClassVar[int] = 2048
    """Characters; no question of the task is longer."""

    config: TaskConfig
    """The settings, validated."""

    vision: bool
    """Whether observations bring a picture."""

    def __init__(self, render_mode: str | None = None, info: Info = "full", **settings: Any) -> None:
        if not hasattr(self, "task") or type(self).deal is VerifiedEnv.deal:
            raise TypeError(f"{type(self).__name__}: set `task`, and define `deal(rng, instance)`")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            expected = f"expected None or one of {self.metadata['render_modes']}"
            raise ValueError(f"render_mode={shown(render_mode)}: {expected}")
        if info not in get_args(Info):
            raise ValueError(f"info={shown(info)}: expected one of {', '.join(get_args(Info))}")
        self.render_mode, self._kept = render_mode, info
        self.config = validate(self.settings, settings)
        self._made_with, self._changes = settings, dict[str, Any]()
        self.attempts = self.config.attempts
        self.wording = wording_of(self.config)
        longest = longest_text(self.config, self.longest_question)
        self.observation_space = gym.spaces.Dict({"text": PrintableText(longest)})
        self.action_space = PrintableText(LONGEST_RESPONSE)
        self.vision = self._writable_image = False
        self._episode: Episode | None = None
        self._final_info: dict[str, Any] = {}
        self._dealt: type[Question] | None = None  # a class of questions that has passed check_question
        self.prepare()

    def prepare(self) -> None:
        """Prepare to deal under ``config``: called when the environment is made, and when a reset changes settings.

        Raises:
            ValueError: if nothing can be dealt under these settings.
        """

    def show_pictures(self, size: tuple[int, int], writable: bool) -> None:
        """Make observations hold a picture of this height and width in px too.

        Those are read-only unless ``writable``.
        """
        assert isinstance(self.observation_space, gym.spaces.Dict)  # noqa: S101 - made above
        self.observation_space = gym.spaces.Dict({**self.observation_space.spaces, "image": image_space(*size)})
        self.vision, self._writable_image = True, writable

    @abstractmethod
    def deal(self, rng: np.random.Generator, instance: str | None = None) -> Question:
        """Return the first question of an episode, of the given instance or of one drawn with ``rng``.

        Changes nothing: the question depends on the settings and the arguments alone.

        Raises:
            ValueError: if the instance cannot be dealt under these settings.
        """

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Deal an instance, under the settings of ``gym.make`` or changed ones.

        Args:
            seed: fixes this episode and those that follow. Without one, the next of the last seed is dealt.
            options: ``{"instance": id}`` deals that instance, this once. Settings among ``config.changeable``, such as
                ``{"difficulty": (2, 3)}``, are changed for this episode and those that follow, until a reset names
                settings again: then those of ``gym.make`` hold, but for the ones it names. So a seed and options that
                name settings give the same episode at any time: the one that ``gym.make`` with them deals.

        Raises:
            ValueError: for an unknown option, a wrong setting, one under which nothing can be dealt, or an instance
                that cannot be dealt. No setting is changed then.
        """
        self._episode = episode = Episode(self.deal_for(seed, options), self.task)
        return self._observation(episode), kept_info(episode.info, self._kept)

    def deal_for(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> Question:
        """Deal the question with which ``reset`` of the same arguments begins an episode, and begin none."""
        if seed is not None:
            super().reset(seed=seed)
        question = self._deal_as(options, seed) if options else self.deal(self.np_random)
        self._dealt = type(question if type(question) is self._dealt else check_question(question, self))
        return question

    def _deal_as(self, options: Mapping[str, Any], seed: int | None) -> Question:
        """Return the question that the options of a reset ask for. Raises ValueError, and then changes no setting."""
        before, changes, instance = self._changes, read_changes(options, self.settings), options.get("instance")
        rng = self.np_random if instance is None or seed is not None else derived_rng(str(instance))
        try:
            if changes:
                self._change(changes)
            return check_question(self.deal(rng, instance), self, instance)
        except ValueError:
            self._change(before)
            raise

    def _change(self, changes: dict[str, Any]) -> None:
        """Deal under the settings of ``gym.make`` but for ``changes`` from now on. Raises ValueError for wrong ones."""
        if changes != self._changes:
            self.config = validate(self.settings, {**self._made_with, **changes})
            self._changes = deepcopy(changes)  # the caller's own list may change
            self.prepare()

    def step(self, action: str) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Judge a response. Never raises on its content; one that is no string is read as an empty one."""
        episode = self._episode
        if episode is None or episode.is_over:
            raise ResetNeeded("the episode is over (or none has begun): call reset() before step()")
        verdict = episode.answer(action)
        info = episode.info
        if episode.is_over:
            self._final_info = info
        kept = kept_info(info, self._kept)
        return self._observation(episode), verdict.reward, episode.is_over, False, kept

    @property
    def episode(self) -> Episode:
        """The episode in play, or the one that has ended. Raises ResetNeeded if none has begun."""
        if self._episode is None:
            raise ResetNeeded("no episode has begun: call reset() first")
        return self._episode

    @property
    def question(self) -> Question:
        """The question in play."""
        return self.episode.question

    @property
    def instance(self) -> str:
        """The id of the instance in play."""
        return self.episode.instance

    @property
    def measures(self) -> Measures:
        """The measures of the task's episodes, in words or by vision as it is posed here."""
        return self.task.measures_of(self.vision, self.wording.answer_format)

    @property
    def splits(self) -> Mapping[str, Mapping[str, Any]]:
        """The splits, each a name for settings."""
        return self.settings.splits

    @property
    def info(self) -> dict[str, Any]:
        """The full info on the episode in play, or on the one that has ended; see ``Episode.info``."""
        return self.episode.info

    @property
    def final_info(self) -> dict[str, Any]:
        """The full info with which an episode ended last, {} before the first end.

        It stays after the reset with which vector environments go on, ``envs.get_attr("final_info")``.
        """
        return self._final_info

    @property
    def messages(self) -> list[Message]:
        """The dialogue as chat messages, a fresh list; as in info."""
        return self.episode.messages

    @property
    def pictures(self) -> list[Picture]:
        """The pictures that ``{"type": "image"}`` stands for in the messages, in order."""
        return self.episode.pictures

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the newest response, None before the first."""
        return self.episode.verdict

    def judge(self, response: str) -> Verdict:
        """Judge a response to the question in play. Changes nothing."""
        return self.episode.question.judge(response)

    def expert_response(self, *, steps: bool = False) -> str:
        """Write a response that earns the best reward on the question in play; with ``steps``, its derivation first."""
        return self.episode.question.expert(steps=steps)

    def wrong_response(self, failure: str, rng: np.random.Generator) -> str | None:
        """Write a response that fails as ``failure`` says, or None if this question allows none."""
        return self.question.wrong(failure, rng)

    @property
    def cluster(self) -> str:
        """The unit of inference that the question in play belongs to."""
        return self.question.cluster

    @property
    def best_reward(self) -> float:
        """The reward of a correct response."""
        return self.question.best_reward

    @property
    def turns(self) -> list[tuple[str, str]]:
        """The dialogue so far, each its speaker ("system", "environment", "policy") and its text; [] before a reset."""
        speaker = {"user": "environment", "assistant": "policy", "system": "system"}
        messages = self.messages if self._episode else []
        return [(speaker[message["role"]], _text(message)) for message in messages]

    def render(self) -> str | Picture | None:
        """Return the dialogue so far as text (``render_mode="ansi"``); with "rgb_array" the picture, or it as one."""
        if self.render_mode == "rgb_array":
            if self.vision:
                return self.pictures[0] if self._episode and self.pictures else None
            return draw_turns(self.turns)
        return write_turns(self.turns) if self.render_mode == "ansi" else None

    def _observation(self, episode: Episode) -> dict[str, Any]:
        observation: dict[str, Any] = {"text": episode.text}
        if self.vision:
            observation["image"] = self._own_image(episode)
        return observation

    def _own_image(self, episode: Episode) -> Picture:
        """Return the picture for an observation: itself for the first of a question, a copy for later ones.

        Gymnasium's checker wants no two observations to share memory, read-only or not.
        """
        image = episode.pictures[0]
        if not episode.feedback and not self._writable_image:
            return image
        copy = image.copy()
        copy.flags.writeable = self._writable_image
        return copy


def derived_rng(instance: str) -> np.random.Generator:
    """Return the generator for an instance that is given without a seed: pairs differ only in what is compared."""
    return np.random.default_rng(int.from_bytes(sha256(instance.encode()).digest()[:8], "big"))


Info = Literal["full", "text", "numbers"]
"""How much an environment tells in ``info``: all, all but the ``messages``, or numbers alone."""


def kept_info(info: dict[str, Any], kept: Info) -> dict[str, Any]:
    """Return the entries of an info that a setting ``info`` leaves in it."""
    if kept == "full":
        return info
    if kept == "text":
        return {name: value for name, value in info.items() if name != "messages"}
    return {name: value for name, value in info.items() if isinstance(value, int | float | np.number | np.ndarray)}


def write_turns(turns: list[tuple[str, str]]) -> str:
    """Write a dialogue as text."""
    return "\n\n".join(f"[{speaker}]\n{text}" for speaker, text in turns)


def _text(message: Message) -> str:
    return "\n".join(part.get("text", "[picture]") for part in parts_of(message))
