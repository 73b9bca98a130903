"""Made-up names for the streets and places of procedural cities, all printable ASCII."""

from __future__ import annotations

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words(
    "Amber Blue Brass Bright Calm Clever Copper Crooked Dancing Early Flying Gentle Golden Green Hidden Humble "
    "Ivory Jolly Laughing Little Lucky Merry Midnight Old Painted Patient Plain Quiet Red Rolling Rusty Silent "
    "Silver Singing Sleepy Spotted Striped Sunny Tall Velvet Wandering White Wild Winding"
)
NOUNS = _words(
    "Anchor Apple Badger Barrel Bell Bicycle Candle Carrot Clock Compass Crane Feather Fiddle Fox Garden Goose "
    "Hammer Heron Kettle Ladder Lamp Lantern Lemon Mirror Moon Mule Needle Oak Otter Owl Pear Pebble Plough Quill "
    "Rabbit Raven Rooster Rose Saddle Sparrow Spoon Teapot Thimble Turtle Umbrella Violin Wagon Whale"
)
FAMILIES = _words(
    "Abara Alder Banik Bello Bexley Castell Cordova Dahl Demir Ekwall Farrow Fontaine Galvan Grieve Haddad Hollis "
    "Ibarra Jansky Kaminek Keller Lindqvist Lobo Marchetti Mbeki Moreau Nakai Novell Okoro Orlov Pereira Quint "
    "Ranieri Rasul Sandoval Sato Soler Tanaka Thorne Usman Vance Vidal Weller Yilmaz Zamora Zeller"
)
QUARTERS = _words(
    "Abbey Arsenal Bridge Canal Castle Chapel Citadel College Cornmarket Dockside Eastgate Ferry Foundry Granary "
    "Harbour Hilltop Ironworks Kingsway Lakeside Lighthouse Market Meadow Mill Mint Northgate Orchard Park Quay "
    "Railway Ridge Riverside Saltmarsh Shipyard Southgate Station Tannery Tower Valley Watergate Westgate"
)
TREES = _words(
    "Acacia Almond Ash Aspen Beech Birch Cedar Cherry Chestnut Cypress Elder Elm Fig Fir Hawthorn Hazel Hickory Holly "
    "Jasmine Juniper Larch Laurel Lilac Linden Magnolia Maple Mulberry Myrtle Olive Palm Pine Plane Poplar Quince "
    "Rowan Spruce Sycamore Walnut Willow Yew"
)
PATTERNS: dict[str, tuple[str, ...]] = {
    "cafe": ("{adjective} {noun} Cafe", "Cafe {family}", "{quarter} Coffee House"),
    "restaurant": ("The {adjective} {noun}", "{family} Kitchen", "Casa {family}", "{quarter} Grill"),
    "fast_food": ("{noun} Burgers", "{family} Noodles", "{adjective} {noun} Pizza"),
    "bar": ("{noun} and {other} Bar", "Bar {family}"),
    "pub": ("The {noun} and {other}", "{quarter} Arms"),
    "bank": ("{quarter} Savings Bank", "Bank of {family}"),
    "pharmacy": ("{quarter} Pharmacy", "{family} Pharmacy"),
    "library": ("{quarter} Library", "{family} Reading Room"),
    "theatre": ("{noun} Theatre", "{quarter} Playhouse"),
    "cinema": ("{noun} Cinema", "{adjective} {noun} Pictures"),
    "school": ("{quarter} School", "{family} Primary School"),
    "place_of_worship": ("{quarter} Chapel", "{tree} Hall Church"),
    "dentist": ("{family} Dental Practice", "{quarter} Dentists"),
    "post_office": ("{quarter} Post Office",),
    "police": ("{quarter} Police Station",),
    "clinic": ("{quarter} Health Centre", "{family} Clinic"),
    "bakery": ("{family} Bakery", "{adjective} {noun} Bread", "{quarter} Bakehouse"),
    "supermarket": ("{quarter} Supermarket", "{family} Foods"),
    "convenience": ("{family} Corner Shop", "{quarter} Minimarket"),
    "books": ("{adjective} {noun} Books", "{family} and {other_family} Booksellers"),
    "clothes": ("{noun} and {other} Clothing", "{family} Outfitters"),
    "shoes": ("{adjective} {noun} Shoes", "{family} Shoemakers"),
    "hairdresser": ("{adjective} {noun} Hair", "Salon {family}"),
    "florist": ("{tree} Flowers", "{adjective} {noun} Florist"),
    "hardware": ("{family} Hardware", "{quarter} Tools and Paint"),
    "optician": ("{family} Opticians", "{adjective} {noun} Eyewear"),
    "bicycle": ("{adjective} {noun} Cycles", "{quarter} Bike Shop"),
    "electronics": ("{noun} Electronics", "{family} Radio and TV"),
    "butcher": ("{family} Butchers",),
    "toys": ("{adjective} {noun} Toys",),
    "hotel": ("Hotel {noun}", "{quarter} Hotel", "Hotel {family}"),
    "museum": ("Museum of the {noun}", "{quarter} Museum"),
    "gallery": ("Gallery {family}", "{adjective} {noun} Gallery"),
    "monument": ("{family} Monument", "Monument of the {noun}"),
    "park": ("{tree} Park", "{tree} Gardens"),
    "company": ("{family} and {other_family}", "{noun} Insurance"),
}
"""Patterns of names for each kind of place; kinds are those of OpenStreetMap."""

CHAINS = (
    ("Quickstop", "convenience"),
    ("Bean Parade", "cafe"),
    ("Mercado Nine", "supermarket"),
    ("Unity Bank", "bank"),
    ("Wellspring Pharmacy", "pharmacy"),
    ("Burger Lagoon", "fast_food"),
    ("Tip Top Shoes", "shoes"),
    ("Northern Post", "post_office"),
)
"""Names that a city holds many times."""

STREET_TYPES = ("Street", "Street", "Street", "Road", "Lane", "Avenue", "Way")


def place_name(rng: np.random.Generator, chains: float) -> tuple[str, str]:
    """A name and a kind; of a chain with the probability ``chains``."""
    if rng.random() < chains:
        return CHAINS[rng.integers(len(CHAINS))]
    kinds = tuple(PATTERNS)
    kind = kinds[rng.integers(len(kinds))]
    pattern = PATTERNS[kind][rng.integers(len(PATTERNS[kind]))]
    words = {
        "adjective": ADJECTIVES, "noun": NOUNS, "other": NOUNS, "family": FAMILIES, "other_family": FAMILIES,
        "quarter": QUARTERS, "tree": TREES,
    }  # fmt: skip
    return pattern.format(**{key: known[rng.integers(len(known))] for key, known in words.items()}), kind


def street_names(rng: np.random.Generator, count: int, types: tuple[str, ...] = STREET_TYPES) -> list[str]:
    """``count`` different names of streets."""
    stems = sorted({*TREES, *QUARTERS, *FAMILIES, *NOUNS})
    order = np.argsort(rng.random(len(stems)), kind="stable")
    return [f"{stems[order[index % len(stems)]]} {types[rng.integers(len(types))]}" for index in range(count)]
