"""A city small enough to check by hand."""

from typing import Any

from verienv.virl.world.city import City, Place, Street


def small_city() -> City:
    """A square of streets of 111 m with a way across, a loop at one corner, a dead end at another, and two places."""
    nodes = ((0.0, 0.0), (0.0, 0.001), (0.001, 0.001), (0.001, 0.0), (0.002, 0.0))
    ends = ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4))
    streets = [
        Street(pair, f"Calle {i}", f"Calle {i}", "residential", tuple(nodes[e] for e in pair))
        for i, pair in enumerate(ends)
    ]
    loop = (nodes[2], (0.002, 0.001), (0.002, 0.002), nodes[2])
    streets.append(Street((2, 2), "", "", "living_street", loop))
    places = (
        Place("Café Ñandú", "Cafe Nandu", "cafe", (0.0001, 0.0001), 0, 11.12),
        Place("Banco", "Banco", "bank", (-0.0001, 0.0008), 0, 88.96),
    )
    return City("square", "Square", "", nodes, tuple(streets), places, "by hand")


def fields(city: City) -> tuple[Any, ...]:
    return city.name, city.title, city.attribution, city.nodes, city.streets, city.places, city.source
