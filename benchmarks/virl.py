"""Speed of V-IRL in words as ratios to a no-op environment in the same process, taking turns; medians of rounds.

python benchmarks/virl.py [--check] [--rounds 9]

Routes are built when they are first dealt and kept (4,096 of them). The bounds are for routes met before; what a first
meeting costs is a row of its own. With ``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import verienv  # noqa: F401 - registers the ids
from race import NoOp, Row, race, report, seconds
from verienv.virl.answers import write_answer
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.sampler import _shipped_route, shipped_plans

LOAD = """
from time import perf_counter
from verienv.virl.env import VIRLEnv
begun = perf_counter()
VIRLEnv().reset(seed=0)
print(perf_counter() - begun)
"""


def resets(rounds: int, count: int = 2000) -> list[Row]:
    env, no_op = VIRLEnv(), NoOp()
    known = range(len(shipped_plans("montevideo-centre")))
    for index in known:
        env.reset(options={"instance": f"virl:montevideo-centre:{index}"})

    def seeds(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
        return (range(number * count, (number + 1) * count),) * 2

    pair = race(rounds, lambda seed: env.reset(seed=seed), lambda seed: no_op.reset(seed=seed), seeds)
    rows = [Row("seeded reset / no-op environment's seeded reset", *pair, most=4)]
    pair = race(
        min(rounds, 4),
        lambda index: env.reset(options={"instance": f"virl:montevideo-centre:{index}"}),
        lambda seed: no_op.reset(seed=seed),
        lambda _: (_forgotten(known), range(count)),
    )
    return [*rows, Row("reset to a route met for the first time / the same", *pair)]


def _forgotten(routes: Sequence[int]) -> Sequence[int]:
    _shipped_route.cache_clear()
    return routes


def steps(rounds: int, count: int = 60) -> list[Row]:
    no_op, rows = NoOp(), []
    for name, settings in (("", {}), (", diverse, streets told", {"prompt": "diverse", "directions": "relative"})):

        def walks(number: int, given: dict[str, Any] = settings) -> tuple[Sequence[Any], Sequence[Any]]:
            pairs = []
            for seed in range(number * count, (number + 1) * count):
                env = VIRLEnv(**given)
                env.reset(seed=seed)
                pairs += [(env, write_answer(waypoint)) for waypoint in env.route.waypoints]
            return pairs, range(1000)

        pair = race(rounds, lambda given: given[0].step(given[1]), lambda seed: no_op.reset(seed=seed), walks)
        rows.append(Row(f"expert's step / no-op environment's seeded reset{name}", *pair, most=4))
    return rows


def loading(rounds: int) -> list[Row]:
    """Microseconds as a new process takes them, imports aside."""

    def first(_: Any = None) -> float:
        out = subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True, text=True)
        return float(out.stdout) * 1e6

    no_op = NoOp()
    taken = median(first() for _ in range(5))
    base = median(seconds(lambda seed: no_op.reset(seed=seed), range(2000)) for _ in range(min(rounds, 5))) * 1e6
    return [Row("default city loaded, first episode begun / no-op's seeded reset", taken, base)]


if __name__ == "__main__":
    raise SystemExit(report(__doc__, [resets, steps, loading]))
