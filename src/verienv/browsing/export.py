"""Export: a collection as one file that needs nothing else, bounded, and saying what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np

from verienv.browsing.collection import Collection
from verienv.browsing.page import view_page
from verienv.browsing.pairs import CHANGES
from verienv.browsing.replaying import Reader
from verienv.browsing.table import Array, Table
from verienv.core.files import atomic_text
from verienv.core.progress import progress_bar
from verienv.core.shown import cut

MOST_ROWS = 20_000
MOST_PAIRS = 2_000
"""The pairs of each two evaluations."""
MOST_COMPARED = 6
"""The evaluations that are compared with each other."""
MOST_BYTES = 8 * 2**20
"""The bytes of all responses, and of all replays."""


def exported(
    collection: Collection, *, replays: int = 40, own: Mapping[str, Any] | None = None, progress: bool | None = False
) -> tuple[str, list[str]]:
    """Return a page that holds a collection, and in words what it leaves out.

    Summaries are of all episodes. Of rows, responses and replays the first episodes of every cell and evaluation are
    taken, so that the policies met the same problems in them.

    Args:
        collection: all that is shown.
        replays: the most episodes whose replay is in the page.
        own: settings that are trusted: paths among them may be opened where a log names the same.
        progress: whether a progress bar of the replays is shown on stderr; None: if that is a terminal.
    """
    table, reader, left_out = collection.table, Reader(collection, own), list[str]()
    order = np.argsort(table.episode, kind="stable")
    rows = np.sort(order[:MOST_ROWS])
    episodes, _ = _filled(order[:MOST_ROWS], reader.episode)
    logged = [row for row in order if collection.sources[table.source[row]].found.kind == "log"]
    played, faults = _replayed(table, logged[:replays], reader, progress)
    left_out += list(faults)[:3]
    comparisons, compared = _comparisons(collection)
    for held, of, noun in (
        (len(rows), len(table), "episodes"),
        (len(episodes), len(table), "episodes with their responses"),
        (len(played), len(logged), "replays"),
        (compared, len(collection.sources), "evaluations compared with each other"),
    ):
        if held < of:
            left_out.append(f"This file holds {held:,} of {of:,} {noun}; verienv view shows all.")
    data = {
        "overview": collection.overview,
        "left_out": left_out,
        "held": {
            "rows": table.described(rows),
            "episodes": episodes,
            "replays": played,
            "comparisons": comparisons,
            "runs": [run.described() for run in collection.runs],
        },
    }
    return view_page().alone(data), left_out


def save(collection: Collection, path: Path, **how: Any) -> list[str]:
    """Write the page that ``exported`` makes, with its options, to a file; return in words what it leaves out.

    Raises:
        OSError: if it cannot be written.
    """
    html, left_out = exported(collection, **how)
    with atomic_text(path) as file:
        file.write(html)
    return left_out


def _filled(
    rows: Iterable[Any], read: Callable[[int], dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], dict[str, None]]:
    """Return the answers about rows until they fill ``MOST_BYTES``, and why some cannot be had."""
    found, size, faults = dict[str, dict[str, Any]](), 0, dict[str, None]()
    for row in rows:
        try:
            answer = read(int(row))
        except (ValueError, OSError) as error:
            faults[cut(error, 200)] = None
            continue
        size += len(dumps(answer))
        if size > MOST_BYTES:
            break
        found[str(row)] = answer
    return found, faults


def _replayed(
    table: Table, rows: Sequence[Any], reader: Reader, progress: bool | None
) -> tuple[dict[str, dict[str, Any]], dict[str, None]]:
    """Return replays as ``_filled`` does. One that will hardly fit, as those before it were large, is not drawn."""
    drawn = attempts = 0

    def replay(row: int) -> dict[str, Any]:
        nonlocal drawn, attempts
        answer = reader.replay(row)
        drawn, attempts = drawn + len(answer["html"]), attempts + int(table.attempts[row])
        tick()
        return answer

    def fitting() -> Iterator[Any]:
        for row in rows:
            if attempts and drawn + drawn / attempts * int(table.attempts[row]) > MOST_BYTES:
                return
            yield row

    with progress_bar(len(rows), wanted=progress, unit="replay") as tick:
        return _filled(fitting(), replay)


def _comparisons(collection: Collection) -> tuple[dict[str, Any], int]:
    """Return the comparisons of each two evaluations, and the number of evaluations among them."""
    sources = range(min(len(collection.sources), MOST_COMPARED))
    found = {}
    for before, after in permutations(sources, 2):
        pairs = collection.pairs(before, after)
        chosen = _first(collection, pairs.before)
        told = zip(
            chosen,
            collection.table.described(pairs.before[chosen]),
            collection.table.described(pairs.after[chosen]),
            strict=True,
        )
        found[f"{before} {after}"] = {
            **collection.comparison(before, after),
            "pairs": [{"before": one, "after": other, "change": CHANGES[pairs.change[at]]} for at, one, other in told],
            "left_out": len(pairs.change) - len(chosen),
        }
    return found, len(sources)


def _first(collection: Collection, rows: Array) -> Array:
    """Return the numbers of those rows that are kept, the first episodes of every cell."""
    return np.sort(np.argsort(collection.table.episode[rows], kind="stable")[:MOST_PAIRS])
