"""An episode opened: its lines as they were logged, and its replay, dealt and judged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verienv.browsing.collection import Collection
from verienv.browsing.said import changed, lines_of_episode
from verienv.core.response import clean_response
from verienv.core.shown import cut
from verienv.evaluation.cells import Cell
from verienv.evaluation.dealing import cell_of, deal_logged
from verienv.replay import Replay, html_page, record, shown_settings

MOST_CELLS = 8
"""The cells that are kept ready to deal."""
LONGEST_RESPONSE = 50_000
"""Characters of a response that are shown in a table; the replay has it whole."""


class Reader:
    """Reader of single episodes.

    Args:
        collection: their table.
        own: settings that are trusted: paths among them may be opened where a log names the same.
    """

    def __init__(self, collection: Collection, own: Mapping[str, Any] | None = None) -> None:
        self._all, self._own = collection, dict(own or {})
        self._cells = dict[tuple[int, str], Cell]()

    def episode(self, row: int) -> dict[str, Any]:
        """Return an episode as it was logged, as JSON. Raises ValueError if there is none, or its file has changed."""
        [told] = self._all.table.described([self._checked(row)])
        source = self._all.sources[told["source"]]
        if source.found.kind != "log":
            return {**told, "lines": [], "notes": ["Saved results hold no responses; open the log for them."]}
        lines = self._lines(row)
        notes = [f"The line of attempt {attempt} was changed after it was written." for attempt in changed(lines)]
        return {**told, "lines": [_shown(line) for line in lines], "notes": notes}

    def replay(self, row: int) -> dict[str, Any]:
        """Return an episode's replay, a page of its own, and notes on where its verdicts are others than the log's.

        Raises:
            ValueError: if the episode cannot be dealt here: in words for the person at the page.
        """
        source = self._all.sources[int(self._all.table.source[self._checked(row)])]
        if source.found.kind != "log":
            raise ValueError("saved results hold no responses; open the log to replay its episodes")
        lines = self._lines(row)
        replay = self._recorded(row, [line["response"] for line in lines])
        verdicts = [frame.verdict for frame in replay.frames]
        notes = [
            f"Attempt {line['attempt']}: the log says {_verdict(line['verdict'])}; judged again, it is "
            f"{_verdict(verdict.model_dump())}."
            for line, verdict in zip(lines, verdicts, strict=False)
            if _verdict(line["verdict"]) != _verdict(verdict.model_dump())
        ]
        if len(lines) != len(verdicts):
            notes.append(f"The log has {len(lines)} attempts; judged again, the episode is over after {len(verdicts)}.")
        return {"html": html_page(replay), "notes": notes}

    def _checked(self, row: int) -> int:
        if not 0 <= row < len(self._all.table):
            raise ValueError(f"row={row}: there are {len(self._all.table)} episodes, from 0")
        return row

    def _lines(self, row: int) -> list[dict[str, Any]]:
        table = self._all.table
        return lines_of_episode(self._all.sources[int(table.source[row])].found.path, table.rows[row])

    def _recorded(self, row: int, responses: Sequence[str]) -> Replay:
        one, number = self._all.table.rows[row], int(self._all.table.source[row])
        source = self._all.sources[number]
        dealing = self._cells.get((number, one.cell))
        if dealing is None:
            dealing = cell_of(source.setup, one.cell, source.found.name, self._own)
            while len(self._cells) >= MOST_CELLS:
                del self._cells[next(iter(self._cells))]
            self._cells[number, one.cell] = dealing
        episode = deal_logged(dealing, source.setup, one.cell, one.episode, one.instance, source.found.name)
        left = list(responses)
        return record(
            episode,
            lambda _: left.pop(0) if left else None,
            most=max(len(left), 1),
            by=source.setup.policy or source.found.name,
            env_id=source.setup.env_id,
            settings=shown_settings(dealing.env),
        )


def _shown(line: Mapping[str, Any]) -> dict[str, Any]:
    verdict = line["verdict"]
    response = clean_response(line["response"])
    return {
        "attempt": line["attempt"],
        "problem": cut(line["instance"], 200),
        "response": response[:LONGEST_RESPONSE],
        "left_out": max(0, len(response) - LONGEST_RESPONSE),
        "correct": verdict.get("is_correct") is True,
        "reward": verdict["reward"],
        "failure": cut(verdict["failure"], 100),
        "feedback": cut(verdict["feedback"], 2000),
        "reason": cut(verdict["reason"], 2000),
        "metrics": {cut(name, 60): value for name, value in verdict["metrics"].items() if _is_metric(value)},
    }


def _is_metric(value: Any) -> bool:
    return isinstance(value, bool | int | float) and abs(value) < 1e300


def _verdict(verdict: Mapping[str, Any]) -> str:
    return f"{cut(verdict['failure'], 60) or 'correct'}, reward {float(verdict['reward']):g}"
