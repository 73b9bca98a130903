"""Check of a results file: everything that it claims and that can be computed again, is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isclose, isnan
from typing import Any

from verienv.core import tasks
from verienv.core.shown import shown
from verienv.evaluation.benchmark.questions import check_questions
from verienv.evaluation.benchmark.results import BenchmarkResults, PlayedCell, PlayedEpisode
from verienv.evaluation.benchmark.specification import BENCHMARKS, load_benchmark
from verienv.evaluation.cells import Cell, make_cells
from verienv.evaluation.lines import Seat, episode_of
from verienv.evaluation.records import EpisodeRecord, Setup
from verienv.evaluation.report import Evaluation

MOST_FAULTS = 20


@dataclass(frozen=True)
class Checked:
    """The outcome of a check.

    Attributes:
        faults: in words; there are none in a file that holds.
        evaluations: computed from the responses alone, by environment.
    """

    faults: list[str] = field(default_factory=list)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)


def check_results(results: BenchmarkResults) -> Checked:
    """Check a results file: deal every instance again, judge every response again, estimate every cell again.

    A file cannot say who wrote its responses; all else that it claims of them is computed here.

    Raises:
        ValueError: if the benchmark is not known, or this version of verienv asks other questions.
    """
    benchmark = load_benchmark(results.benchmark)
    checked = Checked()
    if results.sha256 != BENCHMARKS[results.benchmark]:
        checked.faults.append(f"its sha256 is not that of benchmark {results.benchmark}")
    due = None if results.policy.kind == "baseline" else benchmark.temperature
    if results.policy.temperature != due:
        checked.faults.append(f"temperature is {results.policy.temperature}, where {due} is due")
    for env_id, played in results.parts.items():
        if env_id not in benchmark.parts:
            checked.faults.append(f"benchmark {results.benchmark} has no {shown(env_id)}")
            continue
        check_questions(results.benchmark, env_id)
        cells = make_cells(benchmark.cells(env_id), env_id, 1, 0, {})
        if list(played) != list(cells):
            checked.faults.append(f"{env_id}: cells {shown(list(played))}, where {shown(list(cells))} are due")
            continue
        faults = list(_check_part(env_id, cells, played, checked, results.policy.name))
        checked.faults.extend(faults)
    if len(checked.faults) > MOST_FAULTS:
        more = len(checked.faults) - MOST_FAULTS
        checked.faults[MOST_FAULTS:] = [f"and {more} more"]
    return checked


def _check_part(
    env_id: str, cells: Mapping[str, Cell], played: Mapping[str, PlayedCell], checked: Checked, name: str
) -> Iterator[str]:
    """Yield the faults of a part; its evaluation goes to ``checked`` if every episode could be played again."""
    vision = next(iter(cells.values())).env.vision
    measures = tasks.of_env_id(env_id).measures(vision)
    ratios = dict(measures.ratios)
    records, is_whole = list[EpisodeRecord](), True
    for cell_name, cell in cells.items():
        told = played[cell_name].episodes
        if len(told) != len(cell):
            yield f"{env_id}, {cell_name}: {len(told)} episodes, where {len(cell)} are due"
            is_whole = False
            continue
        for number, one in enumerate(told):
            found = _replayed(cell_name, cell, number, one, ratios)
            if isinstance(found, str):
                yield f"{env_id}, {cell_name}, episode {number}: {found}"
                is_whole = False
            else:
                records.append(found)
    if not is_whole:
        return
    setup = Setup.of(
        env_id, {cell_name: cell.described() for cell_name, cell in cells.items()}, episodes=1, seed=0, policy=name,
        headings=dict(measures.headings), ratios=ratios, recognition=measures.recognition,
    )  # fmt: skip
    evaluation = Evaluation.of(setup, records)
    checked.evaluations[env_id] = evaluation
    for cell_name, computed in evaluation.cells.items():
        if not _is_same(computed.model_dump(), played[cell_name].result.model_dump()):
            yield f"{env_id}, {cell_name}: the estimates are not those of its episodes"


def _replayed(
    cell_name: str, cell: Cell, number: int, told: PlayedEpisode, ratios: Mapping[str, tuple[str, ...]]
) -> EpisodeRecord | str:
    """Return the record that the responses of an episode come to, or the fault in words."""
    seat = Seat(cell_name, number, cell.deal(number))
    if told.instance != seat.episode.instance:
        return f"the instance is {shown(told.instance)}, where {shown(seat.episode.instance)} is due"
    for place, response in enumerate(told.responses, start=1):
        if seat.step(response) != (place == len(told.responses)):
            return f"it is {'over' if seat.episode.is_over else 'not over'} after response {place}"
    record = episode_of(seat.lines, ratios)
    for name in ("success", "failures", "reward"):
        mine, theirs = getattr(record, name), getattr(told, name)
        if not (isclose(mine, theirs, abs_tol=1e-9) if name == "reward" else mine == theirs):
            return f"{name} is {shown(theirs)}, where its responses come to {shown(mine)}"
    return record


def _is_same(mine: Any, theirs: Any) -> bool:
    """Tell whether two estimates agree but for rounding on another machine."""
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(_is_same(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, tuple | list):
        return len(mine) == len(theirs) and all(map(_is_same, mine, theirs))
    if isinstance(mine, float) and isinstance(theirs, float | int):
        return isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-9) or (isnan(mine) and isnan(theirs))
    return bool(mine == theirs)
