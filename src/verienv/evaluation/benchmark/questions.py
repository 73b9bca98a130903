"""Hash of what a benchmark asks and pays, so that it cannot change unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import Any

from verienv.core.episode import Episode
from verienv.core.version import __version__
from verienv.evaluation.benchmark.specification import Benchmark, load_benchmark
from verienv.evaluation.cells import make_cells

WRONG = "I do not know."
"""The response that shows what follows a failed attempt."""


def hash_questions(benchmark: Benchmark, env_id: str) -> str:
    """Return the SHA-256 of a part: of every message, number of pictures, reward and reply.

    Each episode is played to its end along the expert's path, with ``WRONG`` as the first attempt at each question. The
    pixels of pictures, which depend on the version of Pillow, are not part of it.
    """
    told = sha256()
    for name, cell in make_cells(benchmark.cells(env_id), env_id, 1, 0, {}).items():
        for number in range(len(cell)):
            for line in _played(cell.deal(number)):
                told.update(json.dumps([name, number, *line]).encode() + b"\n")
    return told.hexdigest()


def _played(episode: Episode) -> Iterator[list[Any]]:
    yield [episode.instance, episode.question.cluster, episode.question.attempts]
    while not episode.is_over:
        question = episode.question
        asked = [episode.messages, question.picture_count]
        wrong = question.attempt == 1 < question.attempts
        verdict = episode.answer(WRONG if wrong else episode.expert())
        yield [*asked, verdict.reward, verdict.failure, verdict.feedback]


@cache
def check_questions(name: str, env_id: str) -> None:
    """Raise ValueError if this version of verienv asks, or pays, something else than the benchmark of this name."""
    benchmark = load_benchmark(name)
    if hash_questions(benchmark, env_id) != benchmark.part(env_id).asks:
        raise ValueError(
            f"verienv {__version__} asks other questions of {env_id} than benchmark {name}; its results would not be "
            f"those of {name}: install the version that you compare with"
        )
