"""The run of an evaluation: deal, ask the policy in full batches, and record."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from verienv.core.counts import check_count
from verienv.core.policy import ConcurrentPolicy, Policy, checked_responses, dialogue
from verienv.core.progress import progress_bar
from verienv.core.response import clean_response
from verienv.core.shown import shown
from verienv.core.task import Measures
from verienv.evaluation.cells import Cell, check_episodes, make_cells
from verienv.evaluation.lines import Line, Seat, episode_of
from verienv.evaluation.log import AuditLog
from verienv.evaluation.records import HUMAN, Cells, Setup
from verienv.evaluation.report import Evaluation
from verienv.policies.baselines import BASELINES, Player, baseline


def evaluate(
    policy: Policy | str,
    env_id: str,
    splits: Iterable[str] | Cells | None = None,
    episodes: int = 200,
    seed: int = 0,
    batch_size: int = 64,
    *,
    log: str | Path | None = None,
    name: str = "",
    progress: bool | None = None,
    **settings: Any,
) -> Evaluation:
    """Let a policy play, and measure it cell by cell.

    Episode j has its own seed, the same in every cell: the outcome does not depend on ``batch_size``, and two policies
    evaluated with the same arguments meet the same instances, so that ``compare`` can pair them. An episode that holds
    several questions, such as a route's waypoints, is measured over all its attempts (see ``CellResult``).

    Args:
        policy: a callable from a list of dialogues to a list of responses; or a baseline: "expert" (the answers of the
            task's expert: what is attainable) or "constant" (one answer to every question: the expert's to the first
            one, or ``forward()`` on routes).
            With vision the dialogues hold their pictures (see ``Policy``). One that answers each dialogue in its own
            time (``ConcurrentPolicy``), as one behind a server does, is not asked in batches.
        env_id: a verienv environment, e.g. "verienv/GeneralPoints-L-v0".
        splits: names of splits, by default train, test and rule_ood as far as there are; or a dict of cells, from names
            of your own to settings, such as ``verienv.generalpoints.RULE_BY_SIDE``. Settings may hold "instances", a
            list of instance ids: such a cell has one episode for each and draws nothing. Or "rows", a list of rows,
            such as ``verienv.demos.read_published`` reads: one question each, in words of its own. Or they hold
            "episodes", a number of the cell's own.
        episodes: the number of episodes in each other cell.
        seed: fixes every instance.
        batch_size: dialogues put to the policy at once. As episodes end others take their places, across cells.
        log: a plain file for the audit log, JSON lines: the setup, then every response with its verdict. Finished
            episodes that it already holds are not played again: an interrupted run goes on, and one of fewer episodes
            or cells is extended. They are judged again, and a log that does not agree, line by line, is refused. One
            evaluation at a time writes to it.
        name: the policy's name, for log and reports; a log that bears another name is refused.
        progress: show a progress bar on stderr (with tqdm, if installed); by default if that is a terminal. Nothing
            that is wrong with stderr stops the evaluation.
        **settings: further settings of every cell, as for ``gym.make``; a cell's own come first.

    Raises:
        ValueError: for arguments out of range, a policy that does not answer each dialogue with a string, or a log of
            something else, damaged, or in use.
        OSError: if the log cannot be written. What it holds is kept.
    """
    check_episodes(episodes)
    check_count("batch_size", batch_size)
    check_count("seed", seed, 0)
    if not isinstance(name, str):
        raise ValueError(f"name={shown(name)}: expected a string")
    if name.strip().lower().startswith(HUMAN.strip()):
        raise ValueError(f"name={shown(name)}: so begin the logs of persons, which `verienv play --window` writes")
    if not callable(policy) and policy not in BASELINES:
        raise ValueError(f"policy={shown(policy)}: expected a callable, or one of {', '.join(BASELINES)}")
    cells = make_cells(splits, env_id, episodes, seed, settings)
    if callable(policy):
        player = _asking(policy)
    else:
        player, name = baseline(policy, next(iter(cells.values())).deal(0).question), name or policy
    setup = setup_of(cells, env_id, episodes, seed, name)
    keys = [(cell_name, episode) for cell_name, cell in cells.items() for episode in range(len(cell))]
    audit: AbstractContextManager[AuditLog | None] = nullcontext()
    if log is not None:
        audit = closing(AuditLog(log, setup, cells))
    with audit as book:
        records = dict(book.finished) if book else {}
        waiting = [key for key in keys if key not in records]
        if isinstance(policy, ConcurrentPolicy):
            played = _play_each(cells, waiting, policy, min(batch_size, policy.concurrency))
        else:
            played = _play(cells, waiting, player, batch_size)
        with progress_bar(len(keys), len(keys) - len(waiting), wanted=progress) as tick:
            for lines in played:
                if book:
                    book.append(lines)
                record = episode_of(lines, setup.ratios)
                records[record.cell, record.episode] = record
                tick()
    return Evaluation.of(setup, [records[key] for key in keys])


def setup_of(cells: Mapping[str, Cell], env_id: str, episodes: int, seed: int, name: str) -> Setup:
    """Return the setup of an evaluation of these cells by the policy of this name."""
    env = next(iter(cells.values())).env
    measures = env.task.measures(env.vision)  # of every format: cells may differ in theirs
    units = _units(cells, measures)
    return Setup.of(
        env.spec.id if env.spec else env_id,
        {cell_name: cell.described() for cell_name, cell in cells.items()},
        episodes=episodes,
        seed=seed,
        policy=clean_response(name),
        headings={
            name: said for name, said in measures.headings.items() if name in units or name not in measures.extras
        },
        recognition=measures.recognition,
        ratios=dict(measures.ratios),
        units=units,
    )


def _units(cells: Mapping[str, Cell], measures: Measures) -> dict[str, str]:
    """Return those of the ``extras`` that the first episode of some cell has."""
    begun = [cell.deal(0).question.info(False) for cell in cells.values()] if measures.extras else []
    return {name: unit for name, unit in measures.extras.items() if any(name in info for info in begun)}


def _play(
    cells: Mapping[str, Cell], waiting: Iterable[tuple[str, int]], player: Player, batch_size: int
) -> Iterator[list[Line]]:
    """Play the episodes ``waiting``, ``batch_size`` at a time; yield the lines of each as it ends."""
    queue, seats = deque(waiting), list[Seat]()
    while queue or seats:
        while queue and len(seats) < batch_size:
            name, number = queue.popleft()
            seats.append(Seat(name, number, cells[name].deal(number)))
        playing, seats = seats, []
        responses = checked_responses(player([seat.episode for seat in playing]), len(playing))
        for seat, response in zip(playing, responses, strict=True):
            if seat.step(response):
                yield seat.lines
            else:
                seats.append(seat)


def _play_each(
    cells: Mapping[str, Cell], waiting: Iterable[tuple[str, int]], policy: ConcurrentPolicy, at_once: int
) -> Iterator[list[Line]]:
    """Play as ``_play`` does, but go on with each episode as soon as it is answered."""
    queue, asked = deque(waiting), dict[Future[str], Seat]()
    while queue or asked:
        while queue and len(asked) < at_once:
            name, number = queue.popleft()
            seat = Seat(name, number, cells[name].deal(number))
            asked[policy.submit(dialogue(seat.episode))] = seat
        done = wait(asked, return_when=FIRST_COMPLETED).done
        for future in sorted(done, key=lambda future: future.exception() is not None):  # answers before a failure
            seat = asked.pop(future)
            if seat.step(*checked_responses([future.result()], 1)):
                yield seat.lines
            else:
                asked[policy.submit(dialogue(seat.episode))] = seat


def _asking(policy: Policy) -> Player:
    return lambda episodes: policy([dialogue(episode) for episode in episodes])
