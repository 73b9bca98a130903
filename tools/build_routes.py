"""Plan the routes that are shipped with the cities.

    python tools/build_routes.py

writes assets/cities/routes/<city>.json for each city in assets/cities: as many routes of each number of turns, no two
between the same places, each sound (``Plan.is_sound``), every other one such that landmarks alone can tell its turns,
where one is found. The order is shuffled, so that any part of the file is a fair sample.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np

from verienv.core.assets import asset_path
from verienv.virl.routes.plan import Plan
from verienv.virl.routes.planner import Planner
from verienv.virl.world.city_file import shipped_city

ROUTES = {"montevideo-centre": 1200, "montevideo-north": 300, "astana": 60, "helsinki": 60}
TURNS = range(1, 7)
MOST_TRIES = 1000


def planned(city: str, count: int) -> list[tuple[Plan, int, bool]]:
    """``count`` plans with their turns, and whether landmarks alone can tell them."""
    planner = Planner(shipped_city(city))
    rng = np.random.default_rng([2501, 17161, *city.encode()])
    found: dict[tuple[int, int], tuple[Plan, int, bool]] = {}
    for number in range(count):
        turns, wants_landmarks = TURNS[number % len(TURNS)], number // len(TURNS) % 2 == 0
        for _ in range(MOST_TRIES):
            plan = planner.plan(rng, turns)
            is_new = (plan.start, plan.destination) not in found
            if is_new and (not wants_landmarks or plan.landmarks_suffice(planner.city)):
                break
        while (plan.start, plan.destination) in found:
            plan = planner.plan(rng, turns)
        found[plan.start, plan.destination] = plan, turns, plan.landmarks_suffice(planner.city)
    listed = list(found.values())
    return [listed[index] for index in rng.permutation(len(listed))]


def main() -> None:
    folder = asset_path("cities") / "routes"
    folder.mkdir(exist_ok=True)
    for city, count in ROUTES.items():
        rows = planned(city, count)
        head = {
            "format": "verienv-routes",
            "version": 1,
            "city": city,
            "row": ["start", "destination", "heading", "legs", "turns", "told by landmarks"],
        }
        lines = ",\n".join(
            json.dumps([*plan.to_json(), turns, int(told)], separators=(",", ":")) for plan, turns, told in rows
        )
        text = json.dumps(head)[:-1] + f', "routes": [\n{lines}\n]}}\n'
        json.loads(text)
        Path(folder / f"{city}.json").write_text(text, encoding="utf-8")
        lengths = [plan.length(shipped_city(city)) for plan, _, _ in rows]
        print(
            f"{city}: {len(rows)} routes, {sum(told for *_, told in rows)} told by landmarks alone, "
            f"{min(lengths):.0f} to {max(lengths):.0f} m, turns {dict(sorted(Counter(t for _, t, _ in rows).items()))}"
        )


if __name__ == "__main__":
    main()
