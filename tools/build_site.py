"""Build the site from docs/site.toml: pages of this repository, and pages made of docstrings, vectors and settings.

    python tools/build_site.py [--out build/site]

Sources are gathered in OUT/source, Sphinx writes OUT/html. A warning is an error, and nothing is fetched: fonts,
scripts and the index for searching are served by the site itself.
"""

from __future__ import annotations

import argparse
import posixpath
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from website import api, contract, environments, pages

ROOT = Path(__file__).parents[1]


class Source:
    """A folder that Sphinx reads, made anew."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.made: dict[str, list[str]] = {}
        shutil.rmtree(folder, ignore_errors=True)

    def write(self, target: str, text: str) -> str:
        path = self.folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return target

    def keep(self, file: str) -> None:
        """Bring a file of the repository below files/."""
        path = self.folder / "files" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / file, path)

    def draw(self, name: str, image: np.ndarray) -> str:
        path = self.folder / "environments" / f"{name}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, quality=85)
        return path.name

    def make(self) -> None:
        """Write the pages that are made of the code."""
        self.made["environments"] = [
            self.write(each.target, environments.page(each, lambda image, name=each.name: self.draw(name, image)))
            for each in environments.environments()
        ]
        self.made["contract"] = [self.write(each.target, contract.page(each)) for each in contract.CONTRACTS]
        listed = api.modules()
        self.made["api"] = [self.write("api/index.md", api.index(listed))]
        self.made["api"] += [self.write(api.target_of(module), api.page(module)) for module in listed]

    def gather(self) -> None:
        """Write the pages that are in the repository, and the front page with the menu."""
        menu = pages.sections((self.root / "docs/site.toml").read_text("utf-8"))
        listed = tuple(page for section in menu for page in section.pages if not page.startswith(pages.MADE))
        site = pages.Site(self.root, ("README.md", *listed), self.keep)
        for page in listed:
            self.write(pages.target_of(page), site.text(page))
        self.write("index.md", f"{site.text('README.md')}\n{pages.menu(menu, self.made)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build/site", help="the folder that is written")
    out = parser.parse_args().out.resolve()
    try:
        from sphinx.cmd.build import main as sphinx
    except ModuleNotFoundError:
        sys.exit('building the site needs Sphinx: pip install -e ".[docs]"')
    source = Source(ROOT, out / "source")
    source.make()
    source.gather()
    shutil.rmtree(out / "html", ignore_errors=True)
    conf = posixpath.join(ROOT, "tools/website")
    arguments = ["-b", "html", "-W", "--keep-going", "-q", "-E", "-c", conf, "-d", str(out / "doctrees")]
    if status := sphinx([*arguments, str(out / "source"), str(out / "html")]):
        sys.exit(status)
    print(f"{out / 'html' / 'index.html'}")


if __name__ == "__main__":
    main()
