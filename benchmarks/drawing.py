"""Speed of drawing as ratios: both sides in one process, taking turns on distinct inputs; medians of rounds.

python benchmarks/drawing.py [--check] [--rounds 9]

A memcpy is the copy of a whole picture, always the same one, into fresh memory: the least that handing out a picture
can take; a copyto is one into a buffer that exists. Visuals are drawn from faces scaled and turned beforehand, in the
seconds that stand beside. With ``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import psutil
from PIL import Image

from race import Row, race, report
from verienv.core.assets import asset_path
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.pictures.camera import add_noise, blur, light_up
from verienv.generalpoints.pictures.decks import CARDS
from verienv.generalpoints.pictures.drawing import DEFAULT_SIZE, Table, table_for
from verienv.generalpoints.pictures.poses import angles
from verienv.generalpoints.pictures.tabletop import tabletop
from verienv.generalpoints.pictures.visuals import VISUALS, Visual
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv

Hand = tuple[tuple[str, ...], int]
WRONG = '{"cards": ["A", "2", "3", "4"], "number": [1, 2, 3, 4], "formula": "1+2+3+4"}'


@lru_cache(maxsize=64)
def dealt(number: int, count: int) -> list[Hand]:
    """Cards and jitters of a round."""
    env, hands = GeneralPointsVisionEnv(), list[Hand]()
    for episode in range(count):
        env.reset(seed=number if episode == 0 else None)
        hands.append((env.puzzle.cards, env.question.jitter))
    return hands


def hands(rounds: int, count: int = 400) -> list[Row]:
    rows = []
    for side, most in ((224, None), (336, 4), (600, None), (1200, None)):
        table = table_for(Visual(), (side, side), 4)
        times = max(40, count * 336 * 336 // side**2)

        def inputs(number: int, table: Any = table, times: int = times) -> tuple[Sequence[Any], Sequence[Any]]:
            drawn = dealt(number, times)
            return drawn, [table.draw(*drawn[0])] * times

        pair = race(rounds, lambda hand, table=table: table.draw(*hand), lambda picture: picture.copy(), inputs)
        rows.append(Row(f"a hand at {side} px / memcpy of its picture", *pair, most=most))
    return rows


def from_files(rounds: int, count: int = 60) -> list[Row]:
    """Against what one would write: open four files, resize, paste."""
    table = table_for(Visual(), DEFAULT_SIZE, 4)
    places = table.poses(0)
    folder = asset_path("cards/classic")
    ground = Image.fromarray(tabletop("felt", *DEFAULT_SIZE))

    def pasted(hand: Hand) -> Any:
        picture = ground.copy()
        for place, card in zip(places, hand[0], strict=True):
            size = (place.width, place.height)
            face = Image.open(folder / f"{card}.png").convert("RGBA").resize(size, Image.Resampling.LANCZOS)
            picture.paste(face, (round(place.x - size[0] / 2), round(place.y - size[1] / 2)), face)
        return np.asarray(picture)

    equal = sum(np.array_equal(table.draw(*hand), pasted(hand)) for hand in dealt(99, count))
    pair = race(
        rounds, lambda hand: table.draw(*hand), pasted, lambda number: (dealt(number, 400), dealt(number, count))
    )
    return [Row("a hand at 336 px / opening, resizing, pasting four files", *pair, f"{equal}/{count} equal")]


def visuals(rounds: int, count: int = 20) -> list[Row]:
    """Every named visual, and all that they do at once, from faces that are all scaled and turned; then each step."""
    together = {field: value for name in VISUALS for field, value in VISUALS[name].items() if field != "deck"}
    named = {name: Visual.of(name) for name in VISUALS} | {"all together": Visual(**together)}
    rows = []
    for name, visual in named.items():
        table = table_for(visual, DEFAULT_SIZE, 4)
        filled, most = f"filled {fill(table):.1f} s", 120 if name == "all together" else 60
        pair = copies(rounds, lambda hand, table=table: table.draw(*hand))
        rows.append(Row(f"a hand at 336 px, {name} / copyto of its picture", *pair, filled, most))
    picture = table_for(Visual(), DEFAULT_SIZE, 4).draw(*dealt(0, count)[0])
    steps: dict[str, Callable[[Hand], Any]] = {
        "the lamp": lambda hand: light_up(picture, together["light"], hand[1]),
        "the blur": lambda hand: blur(picture, together["blur"]),
        "the noise": lambda hand: add_noise(picture, together["noise"], [hand[1] / 2**32]),
    }
    return [
        *rows,
        *(Row(f"of these, {step} / copyto of a picture", *copies(rounds, run)) for step, run in steps.items()),
    ]


def fill(table: Table) -> float:
    """Seconds of wall time to scale every face for its place, or to turn it to every angle."""
    start = time.perf_counter()
    if table.visual.rotation or table.visual.arrangement == "scattered":
        for card in CARDS:
            for angle in angles(table.visual.rotation):
                table.faces.turned(card, angle)
    else:
        for first in range(len(CARDS)):
            table.draw([CARDS[(first + place) % len(CARDS)] for place in range(table.count)], 0)
    return time.perf_counter() - start


def copies(rounds: int, run: Callable[[Hand], Any], count: int = 20) -> tuple[float, float]:
    """Race a step against copies of a picture into a buffer that exists."""
    picture = table_for(Visual(), DEFAULT_SIZE, 4).draw(*dealt(0, count)[0])
    buffer = np.empty_like(picture)
    return race(
        rounds, run, lambda _: np.copyto(buffer, picture), lambda number: (dealt(number, count), range(50 * count))
    )


def episodes(rounds: int, count: int = 200) -> list[Row]:
    pictures, words = GeneralPointsVisionEnv(), GeneralPointsEnv(suits="black")

    def seeds(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
        return (range(number * count, (number + 1) * count),) * 2

    def play(env: GeneralPointsEnv, seed: int) -> Any:
        env.reset(seed=seed)
        for _ in range(4):
            env.step(WRONG)
        return env.step(WRONG)

    pair = race(rounds, lambda seed: pictures.reset(seed=seed), lambda seed: words.reset(seed=seed), seeds)
    rows = [Row("seeded reset with pictures / in words", *pair)]
    pair = race(rounds, lambda seed: play(pictures, seed), lambda seed: play(words, seed), seeds)
    drawn = times_drawn(lambda: play(pictures, 0))
    return [*rows, Row("episode of five wrong answers with pictures / in words", *pair, exactness=f"drawn {drawn} x")]


def times_drawn(played: Callable[[], Any]) -> int:
    """Count the pictures that are drawn meanwhile."""
    drawn, draw = 0, Table.draw

    def counted(*given: Any) -> Any:
        nonlocal drawn
        drawn += 1
        return draw(*given)

    Table.draw = counted  # type: ignore[method-assign]
    try:
        played()
    finally:
        Table.draw = draw  # type: ignore[method-assign]
    return drawn


def memory(_: int) -> list[Row]:
    """Resident megabytes, not microseconds."""
    env, process = GeneralPointsVisionEnv(), psutil.Process()

    def after(episodes: int) -> float:
        for _ in range(episodes):
            env.reset()
            env.step(WRONG)
        return float(process.memory_info().rss) / 1e6

    early = after(2_000)
    return [Row("MB held after 100,000 episodes / after 2,000", after(98_000), early, most=1.05)]


if __name__ == "__main__":
    raise SystemExit(report(__doc__, [hands, from_files, visuals, episodes, memory]))
