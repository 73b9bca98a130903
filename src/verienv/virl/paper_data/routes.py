"""The paper's own routes, played from disk: ``VIRLConfig(data="path/to/nyc_1k_routes")``.

The paper's download is a folder with ``route_infos.json`` and, for tasks by vision, panoramas. ``read_paper_routes``
reads it (``format`` says how) and names the routes that are defective; ``PaperRoutes`` samples the others;
``convert`` writes them once, with what is known of their panoramas, to a file of our own (``converted``).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from verienv.core.files import atomic_write
from verienv.core.reading import is_file, read_json
from verienv.core.shown import cut, shown, shown_path
from verienv.virl.paper_data.converted import dump_converted, read_converted
from verienv.virl.paper_data.files import find_routes, name_of
from verienv.virl.paper_data.format import describe, read_route
from verienv.virl.paper_data.panoramas import (
    MAPPING,
    check_panoramas,
    missing_panoramas,
    panorama_near,
    panoramas_along,
    read_panoramas,
    read_rotation,
)
from verienv.virl.paper_data.route import Milestone, PaperFile, PaperRoute
from verienv.virl.routes.difficulty import ANY_ROUTE, WantedRoutes, none_of
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import TASK, Route
from verienv.virl.world.geometry import Point

__all__ = [
    "Conversion",
    "Milestone",
    "PaperFile",
    "PaperRoute",
    "PaperRoutes",
    "check_panoramas",
    "convert",
    "panorama_near",
    "read_panoramas",
    "read_paper_routes",
]

Defects = Literal["skip", "refuse"]
"""Treatment of defective routes: they are left out, or are an error."""

MOST_NAMED = 3
"""Defective routes that a message names, at most."""

_INSTANCE = re.compile(rf"{TASK}:([a-z0-9_-]+):(0|[1-9][0-9]{{0,8}})")


def read_paper_routes(path: Path | str, defects: Defects = "skip") -> PaperFile:
    """Read the paper's routes, or those of a file converted from them.

    Args:
        path: a folder that holds ``route_infos.json``; one of its parents, if it holds no other such folder; that file
            (a list of routes and their number, a list of routes, or a single route); or a converted file.
        defects: "skip" names them in the result, "refuse" raises for the first few.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: says in one line what is wrong with the file.
    """
    if defects not in ("skip", "refuse"):
        raise ValueError(f"defects={shown(defects)}: expected skip or refuse")
    found = find_routes(Path(path))
    data = read_json(found)
    if isinstance(data, dict) and "format" in data:
        return read_converted(data, found)
    routes: dict[int, PaperRoute] = {}
    wrong: dict[int, str] = {}
    for index, raw in enumerate(_entries(data, found)):
        try:
            routes[index] = read_route(raw)
        except ValueError as error:
            wrong[index] = str(error)
    if wrong and defects == "refuse":
        raise ValueError(
            f"{shown_path(found)}: {_describe_defects(wrong, len(routes))}; mend them, or leave them out "
            "with defects='skip'"
        )
    return PaperFile(found, name_of(found), routes, wrong)


def _entries(data: Any, path: Path) -> list[Any]:
    """Return the routes of ``[[route, ...], n]``, of ``[route, ...]``, or a bare one."""
    if isinstance(data, dict) and "route_results" in data:
        return [data]
    entries = data[0] if isinstance(data, list) and data and isinstance(data[0], list) else data
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            f"{shown_path(path)}: holds {describe(data)}; [[route, ...], n], a list of routes or one route is accepted"
        )
    return entries


def _describe_defects(wrong: Mapping[int, str], others: int) -> str:
    """Count the defective routes, and name the first few with the reason."""
    first = "; ".join(f"{index}: {cut(reason, 120)}" for index, reason in list(wrong.items())[:MOST_NAMED])
    more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
    return f"{len(wrong)} of {len(wrong) + others} routes cannot be played ({first}{more})"


class PaperRoutes:
    """The paper's routes, drawn evenly: a ``RouteSampler``.

    An instance is ``virl:<name>:<index>``: the name of the folder (that of the original, for a converted file), and the
    route's index in ``route_infos.json``. Routes that cannot be played are left out, with one warning.

    Args:
        data: the ``path`` that ``read_paper_routes`` reads.
        options: spacing, directions and actions of the routes.
        defects: "skip" warns of routes that cannot be played, "refuse" raises.
        wanted: the difficulties that are dealt.

    Raises:
        FileNotFoundError, ValueError: as ``read_paper_routes``, and if no route is left, or none that is wanted.
    """

    def __init__(
        self, data: Path, options: RouteOptions, defects: Defects = "skip", wanted: WantedRoutes = ANY_ROUTE
    ) -> None:
        file = read_paper_routes(data, defects)
        self.name = file.name
        self._routes: dict[int, Route] = {}
        self._wrong = dict(file.defects)
        for index, route in file.routes.items():
            try:
                self._routes[index] = route.route(f"{TASK}:{file.name}:{index}", file.name, options)
            except ValueError as error:
                self._wrong[index] = str(error)
        self._drawn = [index for index, route in self._routes.items() if wanted.admits(route)]
        report = f"{shown_path(file.path)}: {_describe_defects(self._wrong, len(self._routes))}"
        if not self._routes or (self._wrong and defects == "refuse"):
            raise ValueError(report)
        if not self._drawn:
            raise none_of(wanted, self._routes.values())
        if self._wrong:
            warnings.warn(f"{report}; read_paper_routes(...).defects names those that are defective", stacklevel=2)

    def deal(self, rng: np.random.Generator) -> str:
        """Draw an instance."""
        return f"{TASK}:{self.name}:{self._drawn[int(rng.integers(len(self._drawn)))]}"

    def route(self, instance: str) -> Route:
        """Return the route of an instance. Raises ValueError if there is none, or it cannot be played."""
        read = _INSTANCE.fullmatch(instance) if isinstance(instance, str) and len(instance) < 200 else None
        if read is None or read[1] != self.name:
            raise ValueError(
                f"instance={describe(instance)} is no route here; those here are called {TASK}:{self.name}:<index>, "
                f"e.g. '{TASK}:{self.name}:{self._drawn[0]}'"
            )
        index = int(read[2])
        if index in self._wrong:
            raise ValueError(f"instance={shown(instance)} cannot be played: {self._wrong[index]}")
        if index not in self._routes:
            raise ValueError(f"instance={shown(instance)} is no route here; the last index is {max(self._drawn)}")
        return self._routes[index]

    def plan(self, instance: str) -> None:
        """None: of the streets beside the routes nothing is known."""

    def city(self, instance: str) -> None:
        """Return None: of these routes only the way itself is known."""
        return


@dataclass(frozen=True)
class Conversion:
    """The report of a conversion.

    Attributes:
        name: the name in the instances of the routes.
        routes: the number of routes.
        defects: the defect of each route that was left out, by its index.
        panoramas: the number of panoramas taken near a route, None where there is no mapping.
        missing: what is missing to show every start and milestone.
    """

    name: str
    routes: int
    defects: Mapping[int, str]
    panoramas: int | None
    missing: tuple[str, ...]


def convert(path: Path | str, out: Path | str, *, defects: Defects = "skip") -> Conversion:
    """Write the paper's routes to a file of our own, which is played in the same way.

    Where ``gps_pano_mapping.pkl`` lies beside the routes, the file also has the panoramas taken near them, with their
    rotations. The file appears when it is whole.

    Raises:
        FileNotFoundError, ValueError: as ``read_paper_routes`` and ``read_panoramas``; if no route is left; if
            ``path`` is converted already, or ``out`` is a folder or what is converted.
    """
    file, out = read_paper_routes(path, defects), Path(out)
    folder = file.path.parent
    if file.is_converted:
        raise ValueError(f"{shown_path(file.path)}: is converted already; give the folder that holds route_infos.json")
    if not file.routes:
        raise ValueError(f"{shown_path(file.path)}: {_describe_defects(file.defects, 0)}")
    if out.exists() and (not out.is_file() or out.samefile(file.path)):
        raise ValueError(
            f"{shown_path(out)}: is a folder, a device or the data itself; give a file of its own, e.g. routes.json"
        )
    missing: list[str] = []
    has_mapping = is_file(folder / MAPPING)
    if has_mapping:
        ways = [route.points for route in file.routes.values()]
        panoramas: dict[Point, str] = {}
        for near in panoramas_along(read_panoramas(folder), ways):
            panoramas |= near
        file = replace(file, panoramas=panoramas, rotations=_rotations(folder, set(panoramas.values())))
        missing = missing_panoramas(folder, panoramas, ways)
    with atomic_write(out) as part:
        part.write_text(dump_converted(file), encoding="ascii", newline="\n")
    count = len(set(file.panoramas.values())) if has_mapping else None
    return Conversion(file.name, len(file.routes), file.defects, count, tuple(missing))


def _rotations(folder: Path, panoramas: set[str]) -> dict[str, float]:
    """Read the rotation of each panorama that has one."""
    found = {}
    for panorama in sorted(panoramas):
        try:
            found[panorama] = read_rotation(folder, panorama)
        except (ValueError, OSError):
            continue
    return found
