"""Build the source archive and from it the wheel, install that into a second clean environment, and use it there.

python tools/check_wheel.py [--out dist]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKED = [
    "verienv/__init__.py", "verienv/py.typed", "verienv/assets/tables/four_cards.npz",
    "verienv/assets/vectors/generalpoints.jsonl", "verienv/assets/cards/classic/10S.png",
    "verienv/assets/cards/classic/LICENSE", "verienv/assets/cards/classic_four_color/AH.png",
    "verienv/assets/cards/flat/KD.png", "verienv/assets/fonts/DejaVuSans-Bold.ttf", "verienv/assets/fonts/LICENSE",
    "verienv/assets/vectors/virl.jsonl", "verienv/assets/cities/LICENSE", "verienv/assets/cities/helsinki.json",
    "verienv/assets/cities/routes/montevideo-centre.json", "verienv/assets/models/tiny-lm/model.safetensors",
    "verienv/assets/models/tiny-lm/README.md", "verienv/assets/models/tiny-vlm/model.safetensors",
    "verienv/assets/models/tiny-vlm/processor_config.json", "verienv/assets/models/gp-arithmetic/model.safetensors",
    "verienv/assets/models/gp-rule/model.safetensors", "verienv/assets/models/gp-sight/processor_config.json",
    "verienv/assets/benchmarks/v1.json", "verienv/adapters/lm_eval/verienv_virl_vl.yaml",
    "verienv/adapters/lm_eval/_by_sight_yaml",
]  # fmt: skip
LICENSES = [
    "LICENSE",
    "assets/fonts/LICENSE",
    "assets/cities/LICENSE",
    *(f"assets/fonts/{font}/LICENSE" for font in ("anton", "bebas-neue", "playfair-display", "roboto-slab")),
    *(f"assets/cards/{deck}/LICENSE" for deck in ("classic", "classic_four_color", "flat")),
]
SOURCE = (
    "tests/conftest.py", "tests/golden/virl.json", "examples/sft.py", "tools/release.py", "docs/statistics.md",
    "assets/models/tiny-lm/model.safetensors", "constraints.txt", "CITATION.cff", "LICENSE", "README.md",
)  # fmt: skip
LEFT_OUT = ("fp16", "training.json", "training.png", "tests/", "examples/", "tools/", "__pycache__", ".ipynb")

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
folders = ("benchmarks", "cards", "cities", "fonts", "models", "tables", "vectors")
assert all(package in asset_path(name).parents for name in folders)
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
from verienv.evaluation.benchmark import check_questions, load_benchmark
assert load_benchmark("v1").parts
check_questions("v1", "verienv/GeneralPoints-L-v0")
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
heavy = [name for name in ("torch", "transformers", "trl", "hypothesis") if name in sys.modules]
assert not heavy, heavy
print(len(next(verienv.demonstrations("verienv/GeneralPoints-L-v0", n=1))["prompt"]), "message in a demonstration")
"""


MOST_MODELS = 10_000_000
"""The bytes that the built-in models may take in the wheel."""


def run(*command: object, cwd: Path) -> None:
    """Run to the end; what it prints is shown. A failure ends this script with its status."""
    status = subprocess.run([str(part) for part in command], cwd=cwd, env=environment()).returncode
    if status:
        raise SystemExit(f"failed with status {status}: {' '.join(map(str, command))[:200]}")


def environment() -> dict[str, str]:
    """The variables of a program that is to find nothing but what is installed, on this machine alone."""
    left_out = ("PYTHONPATH", "VIRTUAL_ENV", "OPENAI_API_KEY", "OPENAI_BASE_URL")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_PROXY": "127.0.0.1", "COLUMNS": "200"}


class Completions(BaseHTTPRequestHandler):
    """A server of chat completions that looks at the picture it is sent, and says how wide it is."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        (picture,) = [part for part in asked["messages"][0]["content"] if part["type"] == "image_url"]
        data = b64decode(picture["image_url"]["url"].removeprefix("data:image/png;base64,"))
        words = f"{int.from_bytes(data[16:20], 'big')} pixels"  # of a PNG file's header
        reply = {"choices": [{"message": {"role": "assistant", "content": words}}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())

    def log_message(self, *_: object) -> None:
        pass


def check_models(programs: Path, folder: Path) -> None:
    """The command line evaluates a model behind a server; without torch it says what is missing; with it, tiny-vlm."""
    evaluate = [programs / "verienv", "evaluate", "GeneralPoints-VL", "--episodes", "4", "--attempts", "1"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Completions) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        log, url = folder / "server.jsonl", f"http://127.0.0.1:{server.server_port}"
        run(*evaluate, "--splits", "rule_by_side", "--model", "openai:x", "--base-url", url, "--log", log, cwd=folder)
        server.shutdown()
    said = [json.loads(line)["response"] for line in log.read_text().splitlines()[1:]]
    if len(said) != 16 or not all(words.endswith(" pixels") and int(words.split()[0]) > 100 for words in said):
        raise SystemExit(f"the model behind a server said {said}")
    local = [*map(str, evaluate), "--model", "tiny-vlm", "--splits", "train,rule_ood", "--max-new-tokens", "48"]
    without = subprocess.run(local, cwd=folder, env=environment(), capture_output=True, text=True)
    if without.returncode != 2 or without.stderr.count("\n") != 1 or "verienv[train]" not in without.stderr:
        raise SystemExit(f"without torch, status {without.returncode}: {without.stdout}{without.stderr}")
    print("without torch:", without.stderr, end="")
    torch = find_spec("torch")
    assert torch is not None
    assert torch.origin is not None
    (packages,) = programs.parent.glob("[Ll]ib/**/site-packages")
    (packages / "of_this_environment.pth").write_text(f"{Path(torch.origin).parents[1]}\n")
    log = folder / "tiny-vlm.jsonl"
    run(*local, "--device", "cpu", "--log", log, cwd=folder)
    verdicts = [json.loads(line)["verdict"] for line in log.read_text().splitlines()[1:]]
    if len(verdicts) != 8 or not any(verdict["is_correct"] for verdict in verdicts):
        raise SystemExit(f"tiny-vlm of the wheel got the verdicts {verdicts}")


def check_contents(wheel: Path) -> None:
    """What must be inside is, and nothing else of the repository."""
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        models = sum(each.file_size for each in archive.infolist() if "/assets/models/" in each.filename)
    missing = [name for name in PACKED if name not in names]
    for text in LICENSES:
        missing += [] if any(name.endswith(f".dist-info/licenses/{text}") for name in names) else [text]
    extra = [name for name in names if any(part in name for part in LEFT_OUT)]
    if missing or extra:
        raise SystemExit(f"{wheel.name}: missing {missing}, should be left out {extra}")
    if models > MOST_MODELS:
        raise SystemExit(f"{wheel.name}: its models take {models:,} bytes, more than {MOST_MODELS:,}")
    print(
        f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, {len(names)} files, {models:,} bytes of models unpacked"
    )


def check_source(archive: Path) -> None:
    """The source archive has what its tests need, and nothing of a working copy beside it."""
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    missing = [name for name in SOURCE if name not in names]
    stray = [name for name in names if name.split("/")[0] in (".git", ".venv", ".venvs", "runs", "dist", "shared")]
    stray += [name for name in names if "__pycache__" in name]
    if missing or stray:
        raise SystemExit(f"{archive.name}: missing {missing}, should be left out {stray[:5]}")


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
        check_models(programs, empty)
    print("the wheel works")


if __name__ == "__main__":
    main()
