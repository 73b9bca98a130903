"""A policy that answers as it is scripted: it plays along, and so knows each question that it is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from forty_rows import HOSTILE, KINDS

from verienv import Episode
from verienv.adapters import openai


class Scripted:
    """Answers the episodes of rows, which must come one after the other, row k as ``kinds[k % len(kinds)]`` says."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], kinds: Sequence[str] = KINDS) -> None:
        self._rows, self._kinds = list(rows), kinds
        self._episode: Episode | None = None
        self._at = -1
        self.told: list[list[dict[str, Any]]] = []
        """The dialogues in which it was asked, as OpenAI's messages."""

    def answer(self) -> str:
        if self._episode is None or self._episode.is_over:
            self._at += 1
            self._episode = Episode.of(self._rows[self._at])
        episode, kind = self._episode, self._kinds[self._at % len(self._kinds)]
        self.told.append(openai.messages(episode))
        count, first = len(episode.verdicts), episode.question.attempt == 1
        if kind == "unreadable":
            said = HOSTILE[(self._at + count) % len(HOSTILE)]
        elif kind == "right" or (kind != "wrong" and not first):
            said = episode.expert()
        else:
            failures = ("wrong_value", "wrong_action")
            found = next(each for each in failures if each in episode.measures.failures)
            said = episode.question.wrong(found, np.random.default_rng(count)) or ""
        episode.answer(said)
        return said
