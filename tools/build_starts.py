"""Build small starts for studies of post-training, each in a folder OUT/KIND-SEED: a model, its log and its card.

    python tools/build_starts.py gp-arithmetic --seeds 0
    python tools/build_starts.py gp-arithmetic gp-rule --seeds 0 1 2 3 4 5 6 7 8 9 --jobs 2

A finished folder is left as it is. `tools/starts/kinds.py` and `tools/starts/routes/kind.py` say what the kinds are.
Each start takes one core: gp-arithmetic about 3 minutes of it, gp-rule half a minute, gp-sight 2, virl-words 4 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import tyro

from starts import points
from starts.building import build
from starts.kinds import KINDS, Plan
from starts.material import Material
from starts.routes import prepared
from starts.routes.kind import ROUTES
from starts.sight import seen
from starts.sight.kind import SIGHT

PREPARED: dict[str, tuple[Plan, Callable[[Any, int, Path], Material]]] = {
    **{name: (kind, points.prepare) for name, kind in KINDS.items()},
    SIGHT.name: (SIGHT, seen.prepare),
    ROUTES.name: (ROUTES, prepared.prepare),
}


@dataclass
class Arguments:
    kinds: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Kinds of starts: gp-arithmetic, gp-rule, gp-sight (made of gp-arithmetic of the same seed), virl-words."""
    seeds: tuple[int, ...] = (0,)
    """One start of each kind for each of these."""
    out: Path = Path("runs/starts")
    """Folder of the starts' folders."""
    jobs: int = 1
    """Processes side by side."""


def starts(arguments: Arguments) -> Iterator[tuple[str, int, Path]]:
    """Yield kind, seed and folder of each start that is not there yet."""
    for seed in arguments.seeds:
        for kind in arguments.kinds:
            folder = arguments.out / f"{kind}-{seed}"
            if folder.exists():
                print(f"{folder.name} is there", flush=True)
            else:
                yield kind, seed, folder


def built(kind: str, seed: int, folder: Path) -> str:
    """Build a start; return in a line what came of it."""
    plan, prepare = PREPARED[kind]
    return build(plan, seed, folder, prepare)


def main(arguments: Arguments) -> None:
    for kind in arguments.kinds:
        if kind not in PREPARED:
            raise SystemExit(f"there is no kind {kind!r}: give {' or '.join(PREPARED)}")
    if arguments.jobs < 1 or not arguments.kinds or min(arguments.seeds, default=-1) < 0:
        raise SystemExit("give a kind or more, seeds from 0 on, and --jobs of at least 1")
    if arguments.jobs == 1:
        for start in starts(arguments):
            print(built(*start), flush=True)
        return
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        for future in [pool.submit(built, *start) for start in starts(arguments)]:
            print(future.result(), flush=True)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
