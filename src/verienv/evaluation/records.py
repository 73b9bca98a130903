"""The records of an evaluation: its setup, and each of its episodes."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Annotated, Any

import gymnasium
import numpy
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator
from pydantic_core import to_jsonable_python

from verienv.core.shown import shown
from verienv.core.verdict import Metric
from verienv.core.version import __version__
from verienv.evaluation.cells import MOST_EPISODES, check_episodes, check_instances

Cells = Mapping[str, Mapping[str, Any]]

HUMAN = "human: "
"""The beginning of a policy's name where a person gave the answers, at ``verienv play --window``; of no other."""
_MOST_DIFFERENCES = 3
"""The number of differences between two setups that an error tells."""


class Setup(BaseModel):
    """The conditions of an evaluation's episodes, the policy aside. The first line of its log.

    Attributes:
        env_id: the environment.
        cells: each cell's name and the settings of its environments, as JSON.
        episodes: the number in each cell that lists no instances of its own.
        seed: the seed of the whole evaluation.
        policy: the policy's name, if one was given; it begins with ``HUMAN`` where a person answered.
        headings: the task's names for its metrics in tables, which show no others.
        ratios: in a task of several questions an episode, its measures over attempts, as ``Measures.ratios``.
        recognition: the metric that says whether the picture was read right, "" for a task in words.
        units: the measures of whole episodes that some settings alone have, and some cell has here, each with its unit:
            "" for a share.
        versions: the versions of verienv and of the libraries that its instances depend on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    env_id: str
    cells: dict[str, dict[str, Any]]
    episodes: int = Field(ge=0, le=MOST_EPISODES, strict=True)
    seed: int = Field(ge=0, strict=True)
    policy: str = ""
    headings: dict[str, str] = Field(default_factory=dict)
    ratios: dict[str, Annotated[tuple[str, ...], Field(min_length=2)]] = Field(default_factory=dict)
    recognition: str = ""
    units: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, env_id: str, cells: Cells, **rest: Any) -> Setup:
        """Make a setup with this process's versions."""
        plain = to_jsonable_python(cells, fallback=str)
        return cls(env_id=env_id, cells=plain, versions=versions(), **rest)

    @field_validator("cells")
    @classmethod
    def _check_cells(cls, cells: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for settings in cells.values():
            if "instances" in settings:
                check_instances(settings["instances"])
            if "episodes" in settings:
                check_episodes(settings["episodes"])
        return cells

    def count(self, cell: str) -> int:
        """Return the number of episodes in a cell."""
        settings = self.cells[cell]
        if "instances" in settings:
            return len(settings["instances"])
        return int(settings.get("episodes", self.episodes))

    def counts(self) -> dict[str, int]:
        """Return the number of episodes in each cell."""
        return {cell: self.count(cell) for cell in self.cells}

    def differences(self, wanted: Setup) -> list[str]:
        """Return, in words, what keeps an evaluation of this setup from going on as the one that is wanted.

        More episodes, more instances behind the others and more cells do not, as they leave the first episodes what
        they are; nor do versions other than verienv's.
        """
        found = [
            f"{name} {shown(getattr(self, name))} instead of {shown(getattr(wanted, name))}"
            for name in ("env_id", "seed", "policy")
            if getattr(self, name) != getattr(wanted, name)
        ]
        found += chain.from_iterable(self._cell_differences(cell, wanted) for cell in self.cells)
        if len(found) > _MOST_DIFFERENCES:
            found[_MOST_DIFFERENCES:] = [f"and {len(found) - _MOST_DIFFERENCES} more differences"]
        mine, theirs = self.versions.get("verienv"), wanted.versions.get("verienv")
        return found if mine == theirs else [*found, f"verienv {str(mine)[:20]} instead of {theirs}"]

    def _cell_differences(self, cell: str, wanted: Setup) -> Iterator[str]:
        if cell not in wanted.cells:
            yield f"cells with {shown(cell)}, which is not asked for"
            return
        mine, theirs = self.cells[cell], wanted.cells[cell]
        for name in sorted((mine.keys() | theirs.keys()) - {"instances", "episodes"}):
            settings = [shown(side[name]) if name in side else "the default" for side in (mine, theirs)]
            if name not in mine or name not in theirs or mine[name] != theirs[name]:
                yield f"cells[{shown(cell)}]: {name} {settings[0]} instead of {settings[1]}"
        held, most = self.count(cell), wanted.count(cell)
        listed = [side.get("instances", [])[: min(held, most)] for side in (mine, theirs)]
        if listed[0] != listed[1]:
            yield f"cells[{shown(cell)}]: other instances"
        elif held > most:
            yield f"{held} episodes in cells[{shown(cell)}] instead of {most}"


def versions() -> dict[str, str]:
    """Return the versions that instances and verdicts depend on."""
    return {
        "verienv": __version__,
        "python": platform.python_version(),
        "gymnasium": gymnasium.__version__,
        "numpy": numpy.__version__,
    }


class EpisodeRecord(BaseModel):
    """One episode.

    Attributes:
        cell: the cell's name.
        episode: its number in the cell, from 0; it fixes the seed.
        instance: the id of the instance.
        cluster: the unit of inference that the instance belongs to.
        success: whether the episode ended solved.
        reward: the sum of the rewards.
        failures: the failure of each attempt, "" where it was correct.
        first: the task's metrics of the first attempt.
        last: the task's metrics of the last attempt; empty in files saved before it was recorded.
        counts: for each of the setup's ratios, the number of attempts that it counts, and the number among
            which it does.
        outcomes: the task's measures of whole episodes, and, as "<name>_per_episode", the episode's own share of
            each ratio among all its attempts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: str
    episode: int
    instance: str
    cluster: str
    success: bool
    reward: FiniteFloat
    failures: tuple[str, ...] = Field(min_length=1)
    first: dict[str, Metric]
    last: dict[str, Metric] = Field(default_factory=dict)
    counts: dict[str, tuple[int, int]] = Field(default_factory=dict)
    outcomes: dict[str, Metric] = Field(default_factory=dict)

    @property
    def first_failures(self) -> tuple[str, ...]:
        """The failure of the first attempt at each question: a correct response leads from one to the next."""
        return tuple(failure for before, failure in pairwise(("", *self.failures)) if not before)

    @property
    def metrics(self) -> dict[str, float]:
        """All values that are averaged over episodes, as floats.

        Where an episode holds several questions, its first attempt is one at the first of them and is left out.
        """
        first = {} if self.counts else {"first_success": not self.failures[0], **self.first}
        return {
            "success": float(self.success),
            **{name: float(value) for name, value in (first | self.outcomes).items()},
            "reward": self.reward,
            "attempts": float(len(self.failures)),
        }

    @property
    def shares(self) -> frozenset[str]:
        """The names of ``metrics`` that lie between 0 and 1 by their meaning: truths, and shares of an episode.

        A number that may be anything, such as a reward or a count, is none, whatever it happens to be.
        """
        measured = {**self.first, **self.outcomes}
        counted = {name for name, value in measured.items() if isinstance(value, int) and not isinstance(value, bool)}
        return frozenset(self.metrics) - counted - {"reward", "attempts"}
