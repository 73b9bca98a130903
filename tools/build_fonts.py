"""Build assets/fonts: two bold DejaVu fonts, cut down to the characters that cards and street signs need.

python tools/build_fonts.py

Needs matplotlib, whose package carries the fonts with their licence, and fonttools. The bytes depend on nothing but the
versions of these two: a rerun changes nothing.
"""

import shutil
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

README = """# Fonts

{names}: DejaVu, cut down to {characters}.
Hints, kerning and other layout features are left out; the outlines are unchanged.

|  |  |
|---|---|
| source | PyPI `matplotlib` {matplotlib}, `mpl-data/fonts/ttf` |
| DejaVu | {dejavu} |
| made by | `python tools/build_fonts.py`, with `fonttools` {fonttools} |
| licence | free, with the fonts: [LICENSE](LICENSE) (Bitstream Vera, Arev; DejaVu's changes are in the public domain) |
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


def main() -> None:
    source = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    FONTS.mkdir(exist_ok=True)
    versions = {subset(source / name, FONTS / name) for name in tqdm(NAMES, unit="font")}
    shutil.copyfile(source / "LICENSE_DEJAVU", FONTS / "LICENSE")
    readme = README.format(
        names=" and ".join(f"`{name}`" for name in NAMES),
        characters=", ".join(CHARACTERS).replace(", card", " and card"),
        matplotlib=version("matplotlib"),
        fonttools=version("fonttools"),
        dejavu=", ".join(sorted(versions)).lower(),
    )
    (FONTS / "README.md").write_text(readme, encoding="utf-8")
    for name in NAMES:
        print(f"assets/fonts/{name}: {(FONTS / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
