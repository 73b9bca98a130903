"""Loads damaged files, and prints a line for each fault: python loading.py KIND SIZE SEED FOLDER.

Memory is bounded, processor time is measured for each file, and whatever would run something is noticed.
"""

import json
import os
import pickle
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from PIL import Image
from tests.fuzz import damage
from tests.fuzz.tables import tables
from tests.virl.paper_data import paper_folders as made
from tests.virl.world.small_city import small_city

from verienv.generalpoints.pictures.decks import CARDS
from verienv.generalpoints.pictures.drawing import draw
from verienv.generalpoints.pictures.visuals import Visual
from verienv.virl.env import VIRLEnv
from verienv.virl.paper_data.panoramas import read_panoramas
from verienv.virl.paper_data.routes import convert, read_paper_routes
from verienv.virl.pictures.panorama_files import PanoramaFolder, load_panorama
from verienv.virl.question import VIRLQuestion
from verienv.virl.routes import planner
from verienv.virl.world.city_file import load_city, save_city
from verienv.virl.world.procedural import procedural_city

MOST_BYTES = 3 * 2**30
MOST_SECONDS = 30.0
FORBIDDEN = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "pickle.find_class")

Load = Callable[[], None]
noticed: list[str] = []


def notice(event: str, given: tuple[Any, ...]) -> None:
    if event in FORBIDDEN or event.startswith("socket.") or (event == "open" and "secret" in str(given[0])):
        noticed.append(f"{event} {given!r:.100}")


def walk(env: VIRLEnv) -> None:
    """Walk two routes by the expert's answers."""
    for seed in range(2):
        env.reset(seed=seed)
        over = False
        while not over:
            _, _, over, _, info = env.step(env.expert_response())
            assert info["is_correct"], info["feedback"]
        assert info["is_success"]


def cities(folder: Path, rng: random.Random) -> Iterator[Load]:
    path = folder / "town.json"
    wholes = []
    for city in (small_city(), procedural_city("grid", 1).half("train")):
        save_city(city, path)
        wholes.append(path.read_bytes())

    def load() -> None:
        city = load_city(path)
        assert all(abs(each) <= 180 for node in city.nodes for each in node)
        assert all(0.1 <= street.length <= 20_000 for street in city.streets)
        save_city(city, folder / "again.json")
        again = load_city(folder / "again.json")
        assert [place.label for place in again.places] == [place.label for place in city.places]
        try:
            env = VIRLEnv(city=path, side="all", turns=(1, 2))
            env.reset(seed=0)
        except ValueError as error:
            if "no route of" in str(error):
                return
            raise
        walk(env)

    while True:
        whole = wholes[rng.random() < 0.02]
        is_told = rng.random() < 0.6
        path.write_bytes(damage.values(json.loads(whole), rng) if is_told else damage.raw(whole, rng))
        yield load


def routes(folder: Path, rng: random.Random) -> Iterator[Load]:
    data = made.folder(folder / "nyc", mapping=made.mapped())
    whole = (data / "route_infos.json").read_bytes()
    converted = folder / "routes.json"
    convert(data, converted)
    one_of_ours = converted.read_bytes()

    def load(path: Path) -> None:
        convert(path, folder / "again.json")
        file = read_paper_routes(path)
        assert all(isinstance(why, str) and len(why) < 400 and why.isprintable() for why in file.defects.values())
        for actions in ("absolute", "relative"):
            env = VIRLEnv(data=path, actions=actions)
            walk(env)
            question = env.question
            assert isinstance(question, VIRLQuestion)
            assert VIRLQuestion.from_row(question.row()).judge(question.expert()).is_correct

    while True:
        path, text = ((data / "route_infos.json"), whole) if rng.random() < 0.6 else (converted, one_of_ours)
        is_told = rng.random() < 0.7
        path.write_bytes(damage.values(json.loads(text), rng) if is_told else damage.raw(text, rng))
        yield lambda path=path: load(path if path is converted else data)


class Evil:
    """What runs a command when it is unpickled."""

    def __init__(self, call: Any, *given: Any) -> None:
        self.call, self.given = call, given

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.given


def pickles(folder: Path, rng: random.Random) -> Iterator[Load]:
    data = made.folder(folder / "nyc", mapping=made.mapped())
    path = data / "gps_pano_mapping.pkl"
    mapping = made.mapped()
    few = dict(list(mapping.items())[:5])
    numpys = {(np.float64(a), np.float32(b)): name for (a, b), name in few.items()}
    wholes = [pickle.dumps(each, protocol) for each in (few, numpys) for protocol in (2, 3, 4, 5)]
    wholes += [pickle.dumps({(1.0, 2.0): Evil(os.system, "touch secret")}, protocol) for protocol in (0, 2, 4)]
    wholes += [pickle.dumps({(1.0, 2.0): Evil(eval, "open('secret')")}, 2), pickle.dumps({(1.0, 2.0): "z" * 3_000_000})]
    wholes += [b"S" + b"q" * 3_000_000 + b"\n.", b"I" + b"9" * 3_000_000 + b"\n.", b"cos\nsystem\n(S'ls'\ntR."]
    wholes += [b"\x80\x04\x8d" + b"\xff" * 8 + b".", b"\x80\x04\x8b" + b"\xff\xff\xff\x7f" + b"1.", b"(" * 100_000]
    wholes += [b"\x80\x02}" + b"q\x00" * 1000 + b".", b"\x80\x02cos\n" + b"x" * 3_000_000 + b"\n."]

    def load() -> None:
        for (latitude, longitude), name in read_panoramas(data).items():
            assert abs(latitude) <= 90 >= abs(longitude) / 2
            assert name.strip("./\\") == name
        PanoramaFolder(data)

    for whole in wholes:
        path.write_bytes(whole)
        yield load
    while True:
        path.write_bytes(damage.raw(rng.choice(wholes[:13]), rng))
        yield load


def lists(folder: Path, rng: random.Random) -> Iterator[Load]:
    (folder / "secret.jpg").write_bytes(b"")
    data = folder / "panoramas"
    (data / "below").mkdir(parents=True)
    Image.new("RGB", (64, 32), (9, 9, 200)).save(data / "a.jpg")
    Image.new("RGB", (64, 32), (9, 200, 9)).save(data / "below" / "b.png")
    (data / "out.jpg").symlink_to(folder / "secret.jpg")
    (data / "loop.jpg").symlink_to(data / "loop.jpg")
    os.mkfifo(data / "pipe.jpg")
    names = ["a.jpg", "below/b.png", "out.jpg", "loop.jpg", "pipe.jpg", "below.jpg", "../secret.jpg"]
    names += ["a.jpg/../../secret.jpg", "below/../../secret.jpg", "/etc/passwd.jpg", "nothing.jpg"]
    (data / "below.jpg").mkdir()
    whole = [
        {"file": name, "location": [1.0 + at / 1e4, 2.0], "rotation": 3.0 * at} for at, name in enumerate(names[:6])
    ]

    def load() -> None:
        panoramas = PanoramaFolder(data)
        for location in list(panoramas.files)[:8]:
            file, rotation = panoramas.at(location)
            assert abs(rotation) <= 1e6
            load_panorama(file)

    while True:
        tree = json.loads(json.dumps(whole))
        rng.shuffle(tree)
        for entry in tree:
            if rng.random() < 0.1:
                entry["file"] = rng.choice(names)
        is_told = rng.random() < 0.7
        text = json.dumps(tree[: rng.randrange(1, 7)])
        (data / "panoramas.json").write_bytes(
            damage.values(json.loads(text), rng) if is_told else damage.raw(text.encode(), rng)
        )
        yield load


def pictures(folder: Path, rng: random.Random) -> Iterator[Load]:
    path = folder / "a.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 3
    exif[0x010E] = "x" * 100
    wholes = []
    for image in (Image.fromarray(noise), Image.new("RGB", (200, 100), (7, 8, 9))):
        for kind in ("JPEG", "PNG", "WEBP"):
            for mode in ("RGB", "L", "CMYK", "P", "RGBA", "I;16"):
                file = BytesIO()
                try:
                    image.convert("L" if mode == "I;16" else mode).convert(mode).save(file, kind, exif=exif)
                except (OSError, ValueError, KeyError):
                    continue
                wholes.append(file.getvalue())

    def load() -> None:
        read = load_panorama(path, most_pixels=2**22)
        assert read.dtype == np.uint8
        assert read.shape[2] == 3
        assert abs(read.shape[1] - 2 * read.shape[0]) <= 0.02 * read.shape[0]

    while True:
        path.write_bytes(damage.raw(rng.choice(wholes), rng))
        yield load


def decks(folder: Path, rng: random.Random) -> Iterator[Load]:
    deck = folder / "deck"
    deck.mkdir()
    for number, card in enumerate(CARDS):
        Image.new("RGBA", (50, 70), (number * 4, 9, 9, 255)).save(deck / f"{card}.png")
    wholes = {path: path.read_bytes() for path in deck.iterdir()}

    def load() -> None:
        cards = rng.sample(CARDS, 4)
        picture = draw(cards, Visual.of({"deck": str(deck)}), (96, 96))
        assert picture.shape == (96, 96, 3)

    while True:
        path = rng.choice(list(wholes))
        path.unlink()
        deed = rng.randrange(12)
        if deed == 0:
            os.mkfifo(path)
        elif deed == 1:
            path.mkdir()
        elif deed == 2:
            path.symlink_to(rng.choice((path, folder, Path("/dev/zero"), Path("/dev/null"), folder / "nothing")))
        elif deed > 3:
            path.write_bytes(damage.raw(wholes[path], rng))
        yield load
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.write_bytes(wholes[path])


def large(folder: Path, _: random.Random) -> Iterator[Load]:
    """Files that are right but for their size."""
    path = folder / "town.json"
    head = '{"format": "verienv-city", "version": 1, "name": "a", "title": "A", "attribution": "", "source": "", '

    def town(nodes: Iterator[str], streets: Iterator[str]) -> Load:
        path.write_text(f'{head}"nodes": [{",".join(nodes)}], "streets": [{",".join(streets)}], "places": []}}')
        return lambda: VIRLEnv(city=path) and None

    yield town(iter(["[0,0]"] * 1_000_000), iter(['[0,1,"","","x"]']))
    yield town((f"[0,{at / 1e6}]" for at in range(400_000)), (f'[{at},{at + 1},"","","x"]' for at in range(399_999)))
    yield town(iter(["[0,0]", "[0,0.001]"]), iter(['[0,1,"","","x",' + "0,0.0001," * 1_000_000 + "0,0]"]))
    yield town(iter(["[0,0]", "[0,0.001]"]), iter(['[0,1,"","","x"]'] * 500_000))
    yield town(iter(["[" * 5_000_000]), iter([]))
    path.write_bytes(b" " * (65 * 2**20))
    yield lambda: load_city(path) and None
    with path.open("wb") as file:
        file.truncate(2**40)
    yield lambda: load_city(path) and None
    data = made.folder(folder / "nyc", [[made.route()] * 20_000, 1])
    yield lambda: VIRLEnv(data=data) and None
    data = made.folder(folder / "long", [made.route(points=[(40.0 + at / 3, -73.0) for at in range(3)])])
    yield lambda: VIRLEnv(data=data) and None


def unlike(error: Exception) -> str:
    """Return what an error must not be, "" if it is one line about the file."""
    text = str(error)
    if not isinstance(error, ValueError | OSError):
        return f"is a {type(error).__name__}"
    if not text.isprintable() or len(text) > 700:
        return f"has {len(text)} characters, {len(text.splitlines())} lines"
    return ""


KINDS = {
    "cities": cities,
    "routes": routes,
    "pickles": pickles,
    "lists": lists,
    "pictures": pictures,
    "decks": decks,
    "tables": tables,
    "large": large,
}


def main(kind: str, size: str, seed: str, folder: str) -> None:
    planner.MOST_TRIES = 1000
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    sys.addaudithook(notice)
    import warnings

    warnings.simplefilter("ignore")
    loaded = refused = 0
    loads = KINDS[kind](Path(folder), random.Random(f"{kind}-{seed}"))
    for number, load in zip(range(int(size)), loads, strict=False):
        noticed.clear()
        begun, fault = time.thread_time(), ""
        try:
            load()
            loaded += 1
        except Exception as error:
            refused += 1
            if wrong := unlike(error):
                fault = f"{wrong}: {type(error).__name__}: {str(error)[:300]!r}"
        spent = time.thread_time() - begun
        if spent > MOST_SECONDS:
            fault += f" took {spent:.0f} s"
        if noticed:
            fault += f" ran {noticed[:3]}"
        if fault:
            kept = Path(folder).with_name(f"fault-{kind}-{number}")
            shutil.copytree(
                folder, kept, symlinks=True, ignore=lambda _, names: [name for name in names if "pipe" in name]
            )
            print(f"{kind} {number}: {fault}", flush=True)
    print(f"{loaded} loaded, {refused} refused", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
