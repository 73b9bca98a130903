"""Build the source archive and from it the wheel, install that into a second clean environment, and use it there.

python tools/check_wheel.py [--out dist]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKED = [
    "verienv/__init__.py", "verienv/py.typed", "verienv/assets/tables/four_cards.npz",
    "verienv/assets/vectors/generalpoints.jsonl", "verienv/assets/cards/classic/10S.png",
    "verienv/assets/cards/classic/LICENSE", "verienv/assets/cards/classic_four_color/AH.png",
    "verienv/assets/cards/flat/KD.png", "verienv/assets/fonts/DejaVuSans-Bold.ttf", "verienv/assets/fonts/LICENSE",
    "verienv/assets/vectors/virl.jsonl", "verienv/assets/cities/LICENSE", "verienv/assets/cities/helsinki.json",
    "verienv/assets/cities/routes/montevideo-centre.json",
]  # fmt: skip
LICENSES = [
    "LICENSE",
    "assets/fonts/LICENSE",
    "assets/cities/LICENSE",
    *(f"assets/fonts/{font}/LICENSE" for font in ("anton", "bebas-neue", "playfair-display", "roboto-slab")),
    *(f"assets/cards/{deck}/LICENSE" for deck in ("classic", "classic_four_color", "flat")),
]
LEFT_OUT = ("models/", "tests/", "examples/", "tools/", "__pycache__", ".ipynb")

USE = """
import sys
from pathlib import Path
import gymnasium as gym
import verienv
from verienv.core.assets import asset_path
from verienv.generalpoints import Puzzle, verify
from verienv.testing import check_verifier

package = Path(verienv.__file__).parent
assert Path(sys.prefix) in package.parents, package
print("used from", package)
env = gym.make("verienv/GeneralPoints-L-v0", split="rule_ood")
observation, info = env.reset(seed=0)
observation, reward, terminated, truncated, info = env.step(env.unwrapped.expert_response())
assert (reward, terminated) == (5.0, True), (reward, info)
print("an episode:", info["instance"], reward)
puzzle = Puzzle(cards=("4", "3", "2", "K"))
assert verify('{"formula": "4*3+2+10"}', puzzle).is_correct
assert verify('{"formula": "4*3+2+K"}', puzzle).failure == "illegal"
print("our verifier against the vectors:", check_verifier(lambda response, puzzle: verify(response, puzzle).reward))
assert all(package in asset_path(name).parents for name in ("cards", "cities", "fonts", "tables", "vectors"))
for split in ("train", "rule_ood", "rule_visual_ood"):
    env = gym.make("verienv/VIRL-L-v0", split=split)
    observation, info = env.reset(seed=0)
    terminated = False
    while not terminated:
        observation, reward, terminated, truncated, info = env.step(env.unwrapped.expert_response())
    assert info["is_success"], info
    print("a route:", info["instance"])
env = gym.make("verienv/VIRL-VL-v0", split="visual_ood", visual="display_signs", view_size=96)
observation, info = env.reset(seed=0)
print("a street:", info["instance"], observation["image"].shape)
from verienv.replay import html_page, record
row = verienv.rows("verienv/VIRL-L-v0", n=1)[0]
print("a replay:", len(html_page(record(verienv.Episode.of(row)))), "characters")
env = gym.make("verienv/VIRL-Discrete-v0")
print("in numbers:", env.observation_space.contains(env.reset(seed=0)[0]), env.action_space)
from verienv.virl import verify as verify_action
print("our verifier of actions:", check_verifier(verify_action, task="virl"))
for deck in ("classic", "classic_four_color", "flat"):
    faces = [asset_path(f"cards/{deck}") / f"{rank}{suit}.png" for rank in "A 2 3 4 5 6 7 8 9 10 J Q K".split()
             for suit in "CDHS"]
    assert len(faces) == 52 and all(face.is_file() for face in faces), deck
print("assets:", *sorted({path.parent.name for path in (package / "assets").rglob("*.*")}))
try:
    asset_path("models/tiny-lm")
except FileNotFoundError as error:
    print("models are left out:", error)
else:
    raise SystemExit("models are inside the wheel")
heavy = [name for name in ("torch", "transformers", "trl", "hypothesis") if name in sys.modules]
assert not heavy, heavy
print(len(next(verienv.demonstrations("verienv/GeneralPoints-L-v0", n=1))["prompt"]), "message in a demonstration")
"""


def run(*command: object, cwd: Path) -> None:
    """Run to the end; what it prints is shown. A failure ends this script with its status."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    status = subprocess.run([str(part) for part in command], cwd=cwd, env=environment).returncode
    if status:
        raise SystemExit(f"failed with status {status}: {' '.join(map(str, command))[:200]}")


def check_contents(wheel: Path) -> None:
    """What must be inside is, and nothing else of the repository."""
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    missing = [name for name in PACKED if name not in names]
    for text in LICENSES:
        missing += [] if any(name.endswith(f".dist-info/licenses/{text}") for name in names) else [text]
    extra = [name for name in names if any(part in name for part in LEFT_OUT)]
    if missing or extra:
        raise SystemExit(f"{wheel.name}: missing {missing}, should be left out {extra}")
    print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, {len(names)} files")


def check_source(archive: Path) -> None:
    """The READMEs of folders that are not taken are not in the source archive."""
    with tarfile.open(archive) as packed:
        names = [name.partition("/")[2] for name in packed.getnames()]
    stray = [name for name in names if name.endswith("README.md") and name != "README.md" and "assets/" not in name]
    stray += [name for name in names if name.startswith(("examples/", "tests/", "docs/", "assets/models/"))]
    if stray:
        raise SystemExit(f"{archive.name}: should be left out {stray}")


def check_page(wheel: Path) -> None:
    """The description has no link that leads nowhere from a package's page."""
    with ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        page = archive.read(metadata).decode()
    if stray := re.findall(r"\]\((?!https?://)[^)]*\)", page):
        raise SystemExit(f"{wheel.name}: its description has relative links {stray}")


def check_same(one: Path, other: Path) -> None:
    """Both wheels hold the same files, byte for byte."""
    contents = []
    for wheel in (one, other):
        with ZipFile(wheel) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    if differing := [name for name in {**contents[0], **contents[1]} if contents[0].get(name) != contents[1].get(name)]:
        raise SystemExit(f"the wheel of the source archive is not that of the tree: {sorted(differing)}")
    print("the wheel of the source archive is that of the tree")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the wheel is left")
    out = parser.parse_args().out.resolve()
    for old in [*out.glob("verienv-*.whl"), *out.glob("verienv-*.tar.gz")]:
        old.unlink()
    run(sys.executable, "-m", "build", "--outdir", out, ROOT, cwd=ROOT)
    (wheel,) = out.glob("verienv-*.whl")
    (source,) = out.glob("verienv-*.tar.gz")
    check_contents(wheel)
    check_source(source)
    check_page(wheel)
    with TemporaryDirectory() as temporary:
        run(sys.executable, "-m", "build", "--wheel", "--outdir", temporary, ROOT, cwd=ROOT)
        check_same(wheel, next(Path(temporary).glob("*.whl")))
        clean, empty = Path(temporary) / "venv", Path(temporary) / "empty"
        empty.mkdir()
        print("making a clean environment and installing the wheel into it ...", flush=True)
        venv.create(clean, with_pip=True)
        programs = clean / ("Scripts" if os.name == "nt" else "bin")
        pip = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, "-c", ROOT / "constraints.txt", f"{wheel}[cli]", cwd=empty)
        run(programs / "python", "-W", "error", "-c", USE, cwd=empty)
        run(programs / "verienv", "--help", cwd=empty)
    print("the wheel works")


if __name__ == "__main__":
    main()
