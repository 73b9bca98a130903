"""Sampling routes: those shipped with a city, and those planned through a procedural city or a user's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from verienv.core.assets import asset_path
from verienv.core.file_cache import cached_by_files
from verienv.core.shown import cut, shown, shown_instance, shown_path
from verienv.core.sides import Side
from verienv.virl.routes.difficulty import ANY_ROUTE, MOST_PLANS, WantedRoutes, none_of
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.plan import Plan
from verienv.virl.routes.planner import Planner
from verienv.virl.routes.route import TASK, Route
from verienv.virl.routes.source import RouteSampler
from verienv.virl.world.city import City
from verienv.virl.world.city_file import load_city, shipped_city

CITIES: dict[str, dict[str, str]] = {
    "montevideo": {"train": "montevideo-centre", "test": "montevideo-north"},
    "astana": {"test": "astana"},
    "helsinki": {"test": "helsinki"},
}
"""The shipped cities: which part of each lies on which side. Cities without a train side are new ones."""

_PROCEDURAL = re.compile(r"(grid|radial|organic)-(\d{1,9})", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class ShippedPlan:
    """A plan of ``assets/cities/routes``, and what dealing asks of it."""

    plan: Plan
    turns: int
    by_landmarks: bool


@lru_cache(maxsize=8)
def shipped_plans(city: str) -> tuple[ShippedPlan, ...]:
    """The plans that are shipped with a city."""
    listed = json.loads(asset_path(f"cities/routes/{city}.json").read_bytes())
    return tuple(
        ShippedPlan(Plan.from_json(row[:4]), turns=row[4], by_landmarks=bool(row[5])) for row in listed["routes"]
    )


@lru_cache(maxsize=4096)
def _shipped_route(city: str, index: int, options: RouteOptions) -> Route:
    shipped = shipped_plans(city)[index]
    instance = f"{TASK}:{city}:{index}"
    if options.directions == "landmarks" and not shipped.by_landmarks:
        raise ValueError(f"instance={shown(instance)} cannot be told by landmarks alone; choose other directions")
    return shipped.plan.route(shipped_city(city), instance, options)


class ShippedRoutes:
    """Routes planned once and shipped, drawn evenly."""

    def __init__(
        self,
        cities: tuple[str, ...],
        side: Side,
        turns: tuple[int, int],
        options: RouteOptions,
        wanted: WantedRoutes = ANY_ROUTE,
    ) -> None:
        self._known = [part for city in cities for part in CITIES[city].values()]
        self._options = options
        self._drawn = [
            (part, index)
            for city in cities
            for at, part in CITIES[city].items()
            if side in ("all", at)
            for index, shipped in enumerate(shipped_plans(part))
            if turns[0] <= shipped.turns <= turns[1] and (shipped.by_landmarks or options.directions != "landmarks")
        ]
        if not self._drawn:
            raise ValueError(
                f"no route of {turns[0]} to {turns[1]} turns is shipped for {', '.join(cities)} on the {side} side; "
                "astana and helsinki have a test side only, and shipped routes have 1 to 6 turns"
            )
        if wanted:
            every = [_shipped_route(*drawn, options) for drawn in self._drawn]
            self._drawn = [drawn for drawn, route in zip(self._drawn, every, strict=True) if wanted.admits(route)]
            if not self._drawn:
                raise none_of(wanted, every)

    def deal(self, rng: np.random.Generator) -> str:
        part, index = self._drawn[int(rng.integers(len(self._drawn)))]
        return f"{TASK}:{part}:{index}"

    def route(self, instance: str) -> Route:
        return _shipped_route(*self._read(instance), self._options)

    def plan(self, instance: str) -> Plan:
        part, index = self._read(instance)
        return shipped_plans(part)[index].plan

    def _read(self, instance: str) -> tuple[str, int]:
        part, number = _read(instance, self._known[0], "12")
        if part not in self._known or not _NUMBER.fullmatch(number) or int(number) >= len(shipped_plans(part)):
            raise _no_route(instance, self._known, number)
        return part, int(number)

    def city(self, instance: str) -> City:
        return shipped_city(_read(instance, self._known[0], "12")[0])


class PlannedRoutes:
    """Routes through a procedural city or a user's own, planned as they are dealt: there is no end of them.

    An instance is the name of the city, the number of turns, and the seed of the plan.
    """

    def __init__(
        self,
        city: City,
        side: Side,
        turns: tuple[int, int],
        options: RouteOptions,
        wanted: WantedRoutes = ANY_ROUTE,
    ) -> None:
        self._wanted = wanted
        self._city, self._side, self._turns, self._options = city, side, turns, options
        whole = city.name
        self._parts: dict[str, Side] = {whole: "all", f"{whole}-west": "train", f"{whole}-east": "test"}
        self._drawn = next(part for part, at in self._parts.items() if at == side)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the city and of its halves, which instances begin with."""
        return tuple(self._parts)

    def __deepcopy__(self, _: Any) -> PlannedRoutes:
        return self  # it never changes, and its city is the key under which plans are kept

    def __reduce__(self) -> tuple[Any, ...]:
        name, others = self._city.name, (self._side, self._turns, self._options, self._wanted)
        if _PROCEDURAL.fullmatch(name) and _whole(name) is self._city:
            return sampler_for, ((name,), *others)
        return PlannedRoutes, (self._city, *others)

    def deal(self, rng: np.random.Generator) -> str:
        """Draw an instance. Raises ValueError if many plans brought none that is asked for."""
        met: list[Route] = []
        while len(met) < MOST_PLANS:
            turns = int(rng.integers(self._turns[0], self._turns[1] + 1))
            instance = f"{TASK}:{self._drawn}:{turns}-{int(rng.integers(_SEEDS))}"
            if self._can_tell(*self._plan(instance)):
                if not self._wanted:
                    return instance
                met.append(self.route(instance))
                if self._wanted.admits(met[-1]):
                    return instance
        raise none_of(self._wanted, met)

    def route(self, instance: str) -> Route:
        city, plan = self._plan(instance)
        if not self._can_tell(city, plan):
            raise ValueError(f"instance={shown(instance)} cannot be told by landmarks alone; choose other directions")
        return plan.route(city, instance, self._options)

    def city(self, instance: str) -> City:
        return self._plan(instance)[0]

    def plan(self, instance: str) -> Plan:
        return self._plan(instance)[1]

    def _can_tell(self, city: City, plan: Plan) -> bool:
        return self._options.directions != "landmarks" or plan.landmarks_suffice(city)

    def _plan(self, instance: str) -> tuple[City, Plan]:
        part, number = _read(instance, self._drawn, "3-12345")
        turns, _, seed = number.partition("-")
        if part not in self._parts or not _NUMBER.fullmatch(turns) or not _NUMBER.fullmatch(seed) or len(number) > 14:
            raise _no_route(instance, self._parts, number)
        return _planned(self._city, self._parts[part], int(turns), int(seed))


class SeveralCities:
    """Routes through several planned cities, each drawn equally often."""

    def __init__(self, cities: Sequence[PlannedRoutes]) -> None:
        self._cities = tuple(cities)
        self._of_part = {part: city for city in cities for part in city.parts}
        if len(self._of_part) < sum(len(city.parts) for city in cities):
            raise ValueError(f"city: two of {', '.join(city.parts[0] for city in cities)} have one name; leave one out")

    def deal(self, rng: np.random.Generator) -> str:
        return self._cities[int(rng.integers(len(self._cities)))].deal(rng)

    def route(self, instance: str) -> Route:
        return self._city_of(instance).route(instance)

    def city(self, instance: str) -> City:
        return self._city_of(instance).city(instance)

    def plan(self, instance: str) -> Plan:
        return self._city_of(instance).plan(instance)

    def _city_of(self, instance: str) -> PlannedRoutes:
        part, number = _read(instance, next(iter(self._of_part)), "3-12345")
        if part not in self._of_part:
            raise _no_route(instance, self._of_part, number)
        return self._of_part[part]


@lru_cache(maxsize=1024)
def _planned(city: City, side: Side, turns: int, seed: int) -> tuple[City, Plan]:
    planner = _planner(city, side)
    return planner.city, planner.plan(np.random.default_rng([seed, turns]), turns)


@lru_cache(maxsize=64)
def _planner(city: City, side: Side) -> Planner:
    return Planner(city if side == "all" else city.half(side))


def _files(city: str) -> list[str]:
    return [city] if city.endswith(".json") else []


@cached_by_files(_files, maxsize=32)
def _whole(city: str) -> City:
    """Return the city of a procedural one's name, or of a file's path."""
    from verienv.virl.world.procedural import procedural_city

    procedural = _PROCEDURAL.fullmatch(city)
    return procedural_city(procedural[1], int(procedural[2])) if procedural else load_city(city)


def _read(instance: str, city: str, number: str) -> tuple[str, str]:
    parts = instance.split(":") if isinstance(instance, str) and len(instance) < 200 else []
    if len(parts) != 3 or parts[0] != TASK or not instance.isascii():
        raise ValueError(
            f"instance={shown_instance(instance)} is no V-IRL instance; take info['instance'] of a V-IRL environment, "
            f"e.g. {f'{TASK}:{city}:{number}'!r}"
        )
    return parts[1], parts[2]


def _no_route(instance: str, parts: Iterable[str], number: str) -> ValueError:
    """Return the error for an instance that is not here, or is not written as ``info["instance"]`` is."""
    spelled = "; numbers have no leading zeros" if re.search(r"\b0[0-9]", number) else ""
    return ValueError(f"instance={shown(instance)} is no route here; there are routes of {', '.join(parts)}{spelled}")


def _files_of(city: tuple[str, ...], *_: Any) -> list[str]:
    return [path for name in city for path in _files(name)]


@cached_by_files(_files_of, maxsize=64)
def sampler_for(
    city: tuple[str, ...],
    side: Side,
    turns: tuple[int, int],
    options: RouteOptions,
    wanted: WantedRoutes = ANY_ROUTE,
) -> RouteSampler:
    """The sampler of some settings, shared by all environments that have them; a new one once a city's file changes.

    Raises:
        ValueError: for a city that is not known, or one without the side, or without a route that is ``wanted``.
    """
    if all(name in CITIES for name in city) and city:
        return ShippedRoutes(city, side, turns, options, wanted)
    if not city or (len(city) > 1 and any(name in CITIES for name in city)):
        raise ValueError(
            f"city={cut(city, 300)}: several cities can be named only among {', '.join(CITIES)}, or among procedural "
            "cities and files"
        )
    for name in city:
        if not _PROCEDURAL.fullmatch(name) and not name.endswith(".json"):
            raise ValueError(
                f"city={shown_path(name)!r}: expected one of {', '.join(CITIES)}; a procedural city such as 'grid-7', "
                "'radial-0' or 'organic-12'; or the path of a city's .json file"
            )
    planned = [PlannedRoutes(_whole(name), side, turns, options, wanted) for name in city]
    return planned[0] if len(planned) == 1 else SeveralCities(planned)
