"""Verdicts by number, and what infos tell of them as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from verienv.core.answer_format import JSON
from verienv.core.env import VerifiedEnv
from verienv.core.reasoning import REASONING_TAGS
from verienv.core.task import Measures
from verienv.core.verdict import Verdict


def is_read_as_written(game: VerifiedEnv) -> bool:
    """Return whether an answer of plain texts is read as it was written: in JSON, without tags of the user's own.

    Such tags might stand in a formula or an instruction.
    """
    return game.wording.answer_format is JSON and getattr(game.config, "reasoning_tags", ()) in ((), REASONING_TAGS)


class Verdicts:
    """Verdicts, each once; number 0 stands for the time before the first.

    Args:
        measures: those of the episodes, which name the metrics.

    Attributes:
        rewards: float64, one for each verdict.
        is_correct: bool.
        told: by key of ``info``, its column: "failure", "feedback", and the metrics.
    """

    def __init__(self, measures: Measures) -> None:
        self._numbers: dict[Any, int] = {}
        self._rows: list[tuple[float, bool, dict[str, Any]]] = []
        self._add(0.0, False, {"failure": "", "feedback": "", **measures.metrics})

    def _add(self, reward: float, is_correct: bool, told: dict[str, Any]) -> None:
        self._rows.append((reward, is_correct, told))
        self.rewards: NDArray[np.float64] = np.array([row[0] for row in self._rows], np.float64)
        self.is_correct: NDArray[np.bool_] = np.array([row[1] for row in self._rows], np.bool_)
        self.told: dict[str, NDArray[Any]] = {
            key: np.array([row[2][key] for row in self._rows], object if isinstance(value, str) else type(value))
            for key, value in self._rows[0][2].items()
        }

    def number_of(self, verdict: Verdict) -> int:
        """Return the number of a verdict."""
        told = {"failure": verdict.failure, "feedback": verdict.feedback, **verdict.metrics}
        key = (verdict.reward, verdict.is_correct, *told.items())
        if key not in self._numbers:
            self._numbers[key] = len(self._rows)
            self._add(verdict.reward, verdict.is_correct, told)
        return self._numbers[key]
