"""Build assets/fonts: two bold DejaVu fonts, cut down to the characters that cards and street signs need, and six
display fonts for the signs of shops, as published.

python tools/build_fonts.py

Needs matplotlib, whose package carries DejaVu with its licence, fonttools, and npm, which fetches the display fonts.
The bytes depend on nothing but the versions of these: a rerun changes nothing.
"""

import shutil
import subprocess
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

import matplotlib
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from tqdm import tqdm

FONTS = Path(__file__).parents[1] / "assets" / "fonts"
NAMES = ("DejaVuSans-Bold.ttf", "DejaVuSerif-Bold.ttf")
CHARACTERS = {
    "Basic Latin": range(0x20, 0x7F),
    "Latin-1 Supplement": range(0xA0, 0x100),
    "Latin Extended-A": range(0x100, 0x180),
    "Arrows": range(0x2190, 0x2200),
    "card suits": range(0x2660, 0x2668),
}

FONTSOURCE = "5.3.0"
DISPLAY = {
    "anton": (400, "OFL-1.1"),
    "bebas-neue": (400, "OFL-1.1"),
    "playfair-display": (700, "OFL-1.1"),
    "roboto-slab": (700, "Apache-2.0"),
}
"""The weight and the licence of each. Some names are reserved to the unmodified font: files are left as they are."""

README = """# Fonts

{names}: DejaVu, cut down to {characters}.
Hints, kerning and other layout features are left out; the outlines are unchanged.

|  |  |
|---|---|
| source | PyPI `matplotlib` {matplotlib}, `mpl-data/fonts/ttf` |
| DejaVu | {dejavu} |
| made by | `python tools/build_fonts.py`, with `fonttools` {fonttools} |
| licence | free, with the fonts: [LICENSE](LICENSE) (Bitstream Vera, Arev; DejaVu's changes are in the public domain) |

## Display fonts

For the signs of shops, the Latin files as published, unchanged: `npm` packages `@fontsource/<name>` {fontsource}, each
in a folder of its own with its licence and copyright.

| font | weight | licence |
|---|---|---|
{display}
"""


def subset(source: Path, target: Path) -> str:
    """Write the subset of the font at ``source`` to ``target``; the font's own name for its version."""
    options = Options(
        hinting=False,
        layout_features=[],
        name_IDs=[0, 1, 2, 3, 4, 5, 6],
        name_languages=[0x409],
        notdef_outline=True,
        drop_tables=["FFTM", "GPOS", "GSUB", "GDEF", "kern", "gasp"],
    )
    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[point for block in CHARACTERS.values() for point in block])
    subsetter.subset(font)
    font.save(target)
    return str(font["name"].getDebugName(5))


def fetch_display(name: str, weight: int) -> None:
    """Copy the published font and its licence to a folder of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        package = f"@fontsource/{name}@{FONTSOURCE}"
        subprocess.run(["npm", "pack", "--silent", package], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        files = Path(scratch) / "package"
        (FONTS / name).mkdir(exist_ok=True)
        shutil.copyfile(files / "LICENSE", FONTS / name / "LICENSE")
        shutil.copyfile(files / "files" / f"{name}-latin-{weight}-normal.woff", FONTS / name / f"{name}.woff")


def main() -> None:
    source = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    FONTS.mkdir(exist_ok=True)
    versions = {subset(source / name, FONTS / name) for name in tqdm(NAMES, unit="font")}
    shutil.copyfile(source / "LICENSE_DEJAVU", FONTS / "LICENSE")
    for name, (weight, _) in tqdm(DISPLAY.items(), unit="display font"):
        fetch_display(name, weight)
    readme = README.format(
        names=" and ".join(f"`{name}`" for name in NAMES),
        characters=", ".join(CHARACTERS).replace(", card", " and card"),
        matplotlib=version("matplotlib"),
        fonttools=version("fonttools"),
        dejavu=", ".join(sorted(versions)).lower(),
        fontsource=FONTSOURCE,
        display="\n".join(
            f"| `{name}` | {weight} | {licence}: [LICENSE]({name}/LICENSE) |"
            for name, (weight, licence) in DISPLAY.items()
        ),
    )
    (FONTS / "README.md").write_text(readme, encoding="utf-8")
    for name in (*NAMES, *(f"{name}/{name}.woff" for name in DISPLAY)):
        print(f"assets/fonts/{name}: {(FONTS / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
