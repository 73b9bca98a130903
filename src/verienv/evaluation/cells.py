"""The cells of an evaluation; each deals its episodes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from verienv.core.config import UnknownSettingError, plain_settings
from verienv.core.counts import check_count
from verienv.core.env import derived_rng
from verienv.core.episode import Episode
from verienv.core.make import make_env
from verienv.core.question import Question, check_question
from verienv.core.reading import read_json
from verienv.core.rows import read
from verienv.core.shown import shown, shown_path
from verienv.core.task import Cells

DEFAULT_SPLITS = ("train", "test", "rule_ood")
MOST_EPISODES = 10**9
"""The greatest number of episodes in a cell."""


def check_episodes(number: Any) -> int:
    """Return ``number`` if a cell may have so many episodes. Raises ValueError if not."""
    if check_count("episodes", number) > MOST_EPISODES:
        raise ValueError(f"episodes={shown(number)}: expected at most {MOST_EPISODES}")
    return int(number)


def check_instances(instances: Any) -> list[str]:
    """Return ``instances`` as a list if they are at least one, each a string. Raises ValueError if not."""
    if not isinstance(instances, list | tuple) or not instances or not all(isinstance(one, str) for one in instances):
        raise ValueError(f"instances={shown(instances)}: expected a list of at least one instance id")
    return list(instances)


def episode_seed(seed: int, episode: int) -> int:
    """Return the seed of an episode, by its number: the same in every cell."""
    return int(np.random.SeedSequence([seed, episode]).generate_state(1, np.uint64)[0])


class Cell:
    """One cell: its settings, and the environment that deals its episodes.

    Attributes:
        settings: the settings of its environment.
        instances: the instance of each episode, or None if they are drawn.
        questions: the question of each episode, of the cell's "rows"; None if they are dealt.
        env: the environment.
    """

    _OWN = ("instances", "episodes", "rows")

    def __init__(self, env_id: str, settings: Mapping[str, Any], episodes: int, seed: int) -> None:
        self.settings = {key: value for key, value in settings.items() if key not in self._OWN}
        self.instances = check_instances(settings["instances"]) if "instances" in settings else None
        self._seed = seed
        self._episodes = check_episodes(settings.get("episodes", episodes))
        self._has_own_number = "episodes" in settings
        if self.instances is not None:
            self._episodes, self._has_own_number = len(self.instances), False
        self.questions: list[Question] | None = None
        if not all(isinstance(name, str) for name in self.settings) or "env_id" in self.settings:
            raise ValueError(f"settings={shown(self.settings)}: expected names of settings of {env_id}, each a string")
        self.env = make_env(env_id, **self.settings)
        if "rows" in settings:
            self._take_rows(settings["rows"])
        for episode in range(len(self.instances or ())):  # an instance that cannot be dealt is an error at once
            self.deal(episode)

    def __len__(self) -> int:
        """Return the number of its episodes."""
        return self._episodes

    def deal(self, episode: int) -> Episode:
        """Begin an episode."""
        if self.questions is not None:
            return Episode(self.questions[episode], self.env.task)
        if self.instances is None:
            rng, instance = np.random.default_rng(episode_seed(self._seed, episode)), None
        else:
            instance = self.instances[episode]
            rng = derived_rng(instance)
        return Episode(check_question(self.env.deal(rng, instance), self.env, instance), self.env.task)

    def _take_rows(self, rows: Any) -> None:
        """Take the questions of rows for episodes. Raises ValueError for what this environment could not ask."""
        if self.instances is not None or not isinstance(rows, list | tuple) or not rows:
            raise ValueError(f"rows={shown(rows)}: expected a list of at least one row, and no instances beside it")
        self.questions, task = [], self.env.task
        for number, row in enumerate(rows, 1):
            question = read(row)
            if not isinstance(question, task.question) or question.vision != self.env.vision:
                raise ValueError(f"row {number} is a question for another environment: {shown(question.instance)}")
            if question.vision and not question.pictures:
                raise ValueError(f"row {number} is about a picture, which no row holds; evaluate questions in words")
            attempts = self.env.config.attempts if "attempts" in self.settings else question.attempts
            self.questions.append(question.but(attempts=attempts))
        self._episodes, self._has_own_number = len(rows), True

    def described(self) -> dict[str, Any]:
        """Return its settings, with instances or a number of episodes of its own, and the hash of its rows."""
        own: dict[str, Any] = {"instances": self.instances} if self.instances is not None else {}
        if self.questions is not None:
            written = json.dumps([question.row() for question in self.questions], sort_keys=True)
            own = {"rows": sha256(written.encode()).hexdigest()}
        return (
            plain_settings(self.env.config, self.settings)
            | own
            | ({"episodes": self._episodes} if self._has_own_number else {})
        )


def read_cells(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read cells of one's own from a JSON file: an object of names, each with the settings of its episodes.

    Such as ``{"train": {"split": "train"}, "J, Q, K = 11, 12, 13": {"split": "test", "rule": "rank"}}``. Settings may
    hold "instances", "rows" or "episodes", as those of ``evaluate``. A file imports nothing: an object of one's own
    stands in it by its registered name.

    Raises:
        ValueError: the file cannot be read, or holds something else.
    """
    try:
        named = read_json(Path(path))
    except FileNotFoundError as error:
        raise ValueError(str(error)) from None
    if not isinstance(named, dict) or not named or not all(isinstance(own, dict) for own in named.values()):
        raise ValueError(
            f"{shown_path(path)}: expected cells: a JSON object of names, each with its settings, such as "
            '{"train": {"split": "train"}, "other rule": {"split": "test", "rule": "rank"}}'
        )
    return named


def make_cells(
    splits: Iterable[str] | Cells | None, env_id: str, episodes: int, seed: int, settings: Mapping[str, Any]
) -> dict[str, Cell]:
    """Make the cells that ``splits`` means, by name, each with ``settings`` where it has none of its own.

    Raises:
        ValueError: if there are none, or one has settings that its environment refuses.
    """
    if splits is None:
        known = make_env(env_id, **settings).splits
        splits = [split for split in DEFAULT_SPLITS if split in known]
    if isinstance(splits, str):
        splits = [splits]
    if not isinstance(splits, Iterable):
        raise ValueError(f"splits={shown(splits)}: expected names of splits, or a dict of cells")
    named = dict(splits) if isinstance(splits, Mapping) else {split: {"split": split} for split in splits}
    if not named:
        raise ValueError("splits is empty; name at least one, e.g. splits=('train', 'test')")
    for name, own in named.items():
        if not isinstance(name, str) or not isinstance(own, Mapping):
            raise ValueError(
                f"splits: {shown(name)}: {shown(own)} is no cell; expected a name and its settings as a dict"
            )
    cells = {}
    for name, own in named.items():
        try:
            cells[name] = Cell(env_id, {**settings, **own}, episodes, seed)
        except ValueError as error:
            if not isinstance(splits, Mapping):
                raise
            kind = UnknownSettingError if isinstance(error, UnknownSettingError) else ValueError
            raise kind(f"cell {shown(name)}: {error}") from None
    return cells
