"""A session: a person plays the episodes of an evaluation, and each answer is in its log before the next question.

The log is one of ``evaluate``, whose policy's name begins with ``HUMAN``. A response is what the person wrote, put
into the answer format where that asks for nothing more: no part of an answer is filled in by the program. The session
follows from the log alone, so that after any interruption it goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from verienv.core.answer_format import JSON
from verienv.core.env import LONGEST_RESPONSE
from verienv.core.episode import Episode
from verienv.core.shown import shown
from verienv.core.task import Cells
from verienv.core.tasks import of_env_id
from verienv.core.verdict import Verdict
from verienv.evaluation.cells import make_cells
from verienv.evaluation.lines import Seat, episode_of
from verienv.evaluation.log import AuditLog
from verienv.evaluation.records import HUMAN
from verienv.evaluation.run import setup_of
from verienv.preferences.records import Name


class NotDueError(ValueError):
    """An answer to another attempt than the one that is due, as of a page that was open twice."""


@dataclass(frozen=True)
class Answered:
    """An answer that was judged, and written.

    Attributes:
        response: the words that were judged.
        verdict: the verdict on them.
        episode: its episode, which may be over.
    """

    response: str
    verdict: Verdict
    episode: Episode


@dataclass
class Score:
    """The score of a cell: finished episodes, solved ones, and the sum of the rewards of finished ones."""

    played: int = 0
    solved: int = 0
    reward: float = 0.0
    of: int = field(default=0)
    """The episodes there are."""


class Session:
    """A session of one person. The only one that writes its log, from then on until ``close``.

    Args:
        env_id: the environment.
        splits: as for ``evaluate``: names of splits, or cells.
        player: a pseudonym.
        log: the file; one that is there is gone on with.
        episodes: the number in each cell. They are played in turn: the first of every cell, then the second ones.
        seed: fixes every instance: ``evaluate`` with the same arguments deals the same to a model.
        with_map: whether the map is shown while an episode is played; the policy's name says so.
        **settings: further settings, as for ``evaluate``. Where the task's answers have several fields, the default of
            ``answer_format`` is "line" here: the one that decides, alone.

    Raises:
        ValueError: for a name that is no pseudonym, wrong settings, or a log of something else.
        OSError: if the log cannot be read or written.
    """

    def __init__(
        self,
        env_id: str,
        splits: Iterable[str] | Cells,
        player: str,
        log: str | Path,
        *,
        episodes: int = 20,
        seed: int = 0,
        with_map: bool = False,
        **settings: Any,
    ) -> None:
        check_player(player)
        self.player, self.with_map, self.env_id = player, with_map, env_id
        self._cells = make_cells(splits, env_id, episodes, seed, {**_bare(env_id), **settings})
        name = f"{HUMAN}{player}" + (", with the map" if with_map else "")
        self._setup = setup_of(self._cells, env_id, episodes, seed, name)
        self._log = AuditLog(log, self._setup, self._cells, keep_begun=True)
        self.path = self._log.path
        self._seat = self._log.begun
        self._broken = ""

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """The settings of each cell."""
        return self._setup.cells

    @property
    def seat(self) -> Seat | None:
        """The episode in play, begun if need be; None when all are over."""
        if self._seat is None:
            for number in range(max(map(len, self._cells.values()))):
                for name, cell in self._cells.items():
                    if number < len(cell) and (name, number) not in self._log.finished:
                        self._seat = Seat(name, number, cell.deal(number))
                        return self._seat
        return self._seat

    @property
    def token(self) -> str:
        """A name for the attempt that is due, "" when there is none."""
        seat = self.seat
        if seat is None:
            return ""
        return sha256(repr((seat.cell, seat.number, len(seat.lines))).encode()).hexdigest()[:16]

    def answer(self, token: str, text: str) -> Answered:
        """Judge what the person wrote; it is on disk when this returns.

        Raises:
            ValueError: for a text that is too long.
            NotDueError: if another attempt is due.
            OSError: if it cannot be written: it does not count, and neither does any later one of this process.
        """
        if len(text) > LONGEST_RESPONSE:
            raise ValueError(f"an answer has at most {LONGEST_RESPONSE} characters")
        seat = self.seat
        if seat is None or token != self.token:
            raise NotDueError("another question is due; answer that one")
        if self._broken:
            raise OSError(self._broken)
        episode = seat.episode
        response = worded(episode, text)
        seat.step(response)
        try:
            self._log.append_one(seat.lines[-1])
        except OSError as error:
            self._seat = self._dealt_again(seat)
            self._broken = f"the log cannot be written ({error.strerror}): make room, and start the command again"
            raise OSError(self._broken) from None
        if episode.is_over:
            self._log.finished[seat.cell, seat.number] = episode_of(seat.lines, self._setup.ratios)
            self._seat = None
        return Answered(response, episode.verdicts[-1], episode)

    def _dealt_again(self, seat: Seat) -> Seat:
        """Return an episode as it was before its newest answer."""
        again = Seat(seat.cell, seat.number, self._cells[seat.cell].deal(seat.number))
        for line in seat.lines[:-1]:
            again.step(line["response"])
        return again

    def scores(self) -> dict[str, Score]:
        """Return the score of each cell."""
        found = {name: Score(of=len(cell)) for name, cell in self._cells.items()}
        for (name, _), record in self._log.finished.items():
            score = found[name]
            score.played += 1
            score.solved += record.success
            score.reward += record.reward
        return found

    def close(self) -> None:
        """Free the log."""
        self._log.close()


def check_player(player: Any, option: str = "player=") -> None:
    """Raise ValueError unless a player's name is a pseudonym; ``option`` is what it was given by."""
    try:
        TypeAdapter(Name).validate_python(player)
    except ValidationError:
        raise ValueError(
            f"{option}{shown(player)}: give a pseudonym, of at most 100 letters, digits and . _ : / @ + -"
        ) from None


def _bare(env_id: str) -> dict[str, Any]:
    """Return the setting by which a person is asked for the deciding field alone, {} where there is but one field."""
    task = of_env_id(env_id)
    worded_settings = "answer_format" in task.environment_class(env_id).settings.model_fields
    return {"answer_format": "line"} if worded_settings and len(task.fields) > 1 else {}


def worded(episode: Episode, text: str) -> str:
    """Return a person's answer in the answer format, where that holds nothing but the deciding field.

    A text that can be read already, one in another format, and an empty one stay as they are.
    """
    form, task = episode.question.wording.answer_format, episode.task
    if form is JSON or not task.fields or not text.strip() or form.parts(task.shape):
        return text
    try:
        shape = task.shape
        return text if form.read(text, shape) is not None else form.write({shape.key.field: text.strip()}, shape)
    except ValueError:  # a format of one's own that writes nothing
        return text
