"""Speed of seeing a street as ratios: both sides in one process, taking turns on distinct headings; medians of rounds.

python benchmarks/street_view.py [--check] [--rounds 9]

A grid is four views of 640 x 640 pixels from a panorama of 2048 x 1024, here of noise, the worst case for a tolerance.
"Maps computed anew" is the projection as one would write it in numpy, for each view: rays, angles, blending in floats.
"With an empty cache" is our own code, which then makes its maps for each view. Exactness is the largest difference of
the two sides in grey levels; for "nearest", the share of equal pixels. A memcpy is the copy of a whole grid into fresh
memory. Panoramas are drawn at the waypoints of shipped routes, one after the other as they are walked, so that what
neighbours share (lots, façades) is drawn once, as in an episode; "unknown" streets are other routes in each round.
With ``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from race import Row, race, report
from verienv.core.bounded_cache import BoundedCache
from verienv.virl.env import VIRLEnv
from verienv.virl.pictures import panorama as views
from verienv.virl.pictures import projection
from verienv.virl.pictures.panorama import FILTERS, Filter
from verienv.virl.pictures.projection import MOST_MAP_BYTES, Picture
from verienv.virl.pictures.streets.panorama_drawing import draw_panorama
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.routes.route import Waypoint
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.lots import Lots

SIDE = 640
AROUND = (0.0, 90.0, 180.0, 270.0)

grid, view = partial(views.grid, engine="numpy"), partial(views.view, engine="numpy")


def noise(tall: int = 1024) -> Picture:
    return np.random.default_rng(0).integers(0, 256, (tall, 2 * tall, 3), dtype=np.uint8)


def headings(number: int, count: int) -> Sequence[float]:
    return [float(heading) for heading in np.random.default_rng(number).uniform(0, 360, count)]


def rays(panorama: Picture, heading: float, pitch: float) -> tuple[Any, Any]:
    """Column and row in the panorama, counted in edges, of each pixel of a view."""
    tall, wide = panorama.shape[:2]
    middles = np.arange(SIDE) + 0.5 - SIDE / 2
    right, down = np.meshgrid(middles, middles)
    ahead, tilt = SIDE / 2, np.radians(pitch)
    level, up = ahead * np.cos(tilt) + down * np.sin(tilt), ahead * np.sin(tilt) - down * np.cos(tilt)
    east = np.degrees(np.arctan2(right, level)) + heading
    north = np.degrees(np.arctan2(up, np.hypot(right, level)))
    return east % 360 / 360 * wide, (90 - north) / 180 * tall


def written_out(panorama: Picture, heading: float, filter: Filter, pitch: float = 0.0) -> Picture:
    """One view, all of it computed anew."""
    tall, wide = panorama.shape[:2]
    x, y = rays(panorama, heading, pitch)
    if filter == "nearest":
        return panorama[y.astype(int).clip(0, tall - 1), x.astype(int) % wide]
    x, y = x - 0.5, (y - 0.5).clip(0, tall - 1)
    left, top = np.floor(x).astype(int), y.astype(int)
    along, down = (x - left)[..., None], (y - top)[..., None]
    below = (top + 1).clip(0, tall - 1)
    upper = panorama[top, left % wide] * (1 - along) + panorama[top, (left + 1) % wide] * along
    lower = panorama[below, left % wide] * (1 - along) + panorama[below, (left + 1) % wide] * along
    blended: Picture = np.rint(upper * (1 - down) + lower * down).astype(np.uint8)
    return blended


def exactness(panorama: Picture, filter: Filter, pitch: float, other: Callable[[float], Picture], count: int) -> str:
    pairs = [(view(panorama, heading, filter=filter, pitch=pitch), other(heading)) for heading in headings(99, count)]
    if filter == "nearest":
        same = np.mean([np.all(ours == theirs, axis=2).mean() for ours, theirs in pairs])
        return f"{same:.3%} equal"
    most = max(int(np.abs(ours.astype(int) - theirs).max()) for ours, theirs in pairs)
    return f"{most} of 255"


def maps(rounds: int) -> list[Row]:
    """A grid from maps that are kept, against maps computed anew."""
    panorama, rows = noise(), []
    for filter in FILTERS:
        for pitch in (0.0, 10.0):

            def kept(heading: float, filter: Filter = filter, pitch: float = pitch) -> Any:
                return grid(panorama, heading, filter=filter, pitch=pitch)

            def anew(heading: float, filter: Filter = filter, pitch: float = pitch) -> Any:
                return [written_out(panorama, heading + turn, filter, pitch) for turn in AROUND]

            def inputs(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
                return headings(number, 12), headings(number + 1000, 2)

            def one(heading: float, filter: Filter = filter, pitch: float = pitch) -> Picture:
                return written_out(panorama, heading, filter, pitch)

            exact = exactness(panorama, filter, pitch, one, 4)
            named = f"grid from cached maps / maps computed anew, {filter}, pitch {pitch:g}"
            rows.append(Row(named, *race(min(rounds, 5), kept, anew, inputs), exact, most=1 / 3))
            named = f"grid from cached maps / with an empty cache, {filter}, pitch {pitch:g}"
            rows.append(Row(named, *race(rounds, kept, forgetful(kept), inputs)))
    return rows


def forgetful(kept: Callable[[float], Any]) -> Callable[[float], Any]:
    """The same, with a cache that holds nothing."""

    def run(heading: float) -> Any:
        projection.MAPS = BoundedCache(0)
        try:
            return kept(heading)
        finally:
            projection.MAPS = held

    held = projection.MAPS
    assert held.most_bytes == MOST_MAP_BYTES  # noqa: S101
    return run


def copies(rounds: int) -> list[Row]:
    panorama, rows = noise(), []
    whole = grid(panorama, 0.0)
    for filter in FILTERS:
        pair = race(
            rounds,
            lambda heading, filter=filter: grid(panorama, heading, filter=filter),
            lambda _: whole.copy(),
            lambda number: (headings(number, 12), range(40)),
        )
        rows.append(Row(f"grid from cached maps / memcpy of the grid, {filter}", *pair))
    return rows


def by_remap(panorama: Picture, filter: Filter, pitch: float) -> Callable[[float], Picture]:
    """One view by cv2.remap as one would write it: float maps kept for the north, shifted and wrapped for each view."""
    import cv2  # type: ignore[import-not-found, unused-ignore]

    x, y = (coordinate.astype(np.float32) for coordinate in rays(panorama, 0.0, pitch))
    flag = cv2.INTER_NEAREST if filter == "nearest" else cv2.INTER_LINEAR

    def remapped(heading: float) -> Picture:
        shifted = (x + np.float32(heading / 360 * panorama.shape[1])) % panorama.shape[1] - np.float32(0.5)
        # OpenCV counts from the centre of the first pixel; BORDER_WRAP also wraps rows, of which none is seen here.
        seen: Picture = cv2.remap(panorama, shifted, y - np.float32(0.5), flag, borderMode=cv2.BORDER_WRAP)
        return seen

    return remapped


def opencv(rounds: int) -> list[Row]:
    """Against OpenCV on one thread, where it is installed: by cv2.remap written out, and as our own engine."""
    try:
        import cv2
    except ImportError:
        return []
    cv2.setNumThreads(1)
    panorama, rows = noise(), []
    for filter in FILTERS:
        for pitch in (0.0, 10.0):
            ours: Callable[[float], Any] = partial(grid, panorama, filter=filter, pitch=pitch)
            engine: Callable[[float], Any] = partial(grid, panorama, filter=filter, pitch=pitch, engine="opencv")
            one = by_remap(panorama, filter, pitch)

            def written(heading: float, one: Callable[[float], Picture] = one) -> list[Picture]:
                return [one(heading + turn) for turn in AROUND]

            def inputs(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
                return (headings(number, 12),) * 2

            exact = exactness(panorama, filter, pitch, one, 4)
            named = f"grid by numpy / cv2.remap by cached maps, {filter}, pitch {pitch:g}"
            rows.append(Row(named, *race(rounds, ours, written, inputs), exact))
            seen: Callable[[float], Picture] = partial(view, panorama, filter=filter, pitch=pitch, engine="opencv")
            exact = exactness(panorama, filter, pitch, seen, 4)
            named = f"grid by OpenCV / by numpy, {filter}, pitch {pitch:g}"
            rows.append(Row(named, *race(rounds, engine, ours, inputs), exact, most=1 / 1.2))
    return rows


MILLISECONDS = 1e3
"""In the microseconds of a row."""


def walk(number: int, count: int, **settings: Any) -> list[Waypoint]:
    """The waypoints of some routes, one after the other."""
    env, found = VIRLEnv(**settings), list[Waypoint]()
    env.reset(seed=number)
    while len(found) < count:
        found += [waypoint for waypoint in env.route.waypoints if waypoint.move != "turn"]
        env.reset()
    return found[:count]


def drawings(rounds: int, count: int = 24) -> list[Row]:
    rows = []
    for name, settings, visual in (
        ("Montevideo", {}, "default"),
        ("Montevideo, rain by night", {}, "rainy_night"),
        ("Helsinki", {"split": "visual_ood", "city": "helsinki"}, "default"),
    ):
        env = VIRLEnv(**settings)
        env.reset(seed=0)
        city = env.city
        assert city  # noqa: S101 - shipped routes have one
        lots, appearance = Lots(city), StreetVisual.of(visual)
        whole = noise()

        def draw(waypoint: Waypoint, lots: Lots = lots, appearance: StreetVisual = appearance) -> Any:
            return draw_panorama(lots, waypoint.location, appearance)

        def unknown(number: int, settings: dict[str, Any] = settings) -> tuple[Sequence[Any], Sequence[Any]]:
            return walk(number, count, **settings), range(count)

        def known(_: int, settings: dict[str, Any] = settings) -> tuple[Sequence[Any], Sequence[Any]]:
            return unknown(0, settings)

        for streets, inputs in (("unknown", unknown), ("known", known)):
            ours, memcpy = race(min(rounds, 6), draw, lambda _, whole=whole: whole.copy(), inputs)
            drawn = f"a panorama drawn in {streets} streets, {name}"
            rows.append(Row(f"{drawn} / 150 ms", ours, 150 * MILLISECONDS, most=1))
            rows.append(Row(f"{drawn} / memcpy of it", ours, memcpy))
    return rows


def revisits(rounds: int, count: int = 12) -> list[Row]:
    env = VIRLVisionEnv()
    env.reset(seed=0)
    cache, first = BoundedCache(2**28), env.panorama[0]

    def seen(place: int) -> Any:
        return cache.get(place, first.copy)

    pair = race(rounds, lambda number: seen(number % 4), lambda _: first.copy(), lambda _: (range(count), range(count)))
    return [Row("a panorama from the cache / memcpy of it", *pair)]


if __name__ == "__main__":
    raise SystemExit(report(__doc__, [maps, copies, opencv, drawings, revisits]))
