"""Install the lowest versions that pyproject.toml declares, and use verienv with them; warnings are errors.

python tools/check_lowest.py [--only core|train]

``core`` (.venvs/lowest) has what needs no training library: every id is played to its end, and quick tests run.
``train`` (.venvs/lowest-train; with CUDA's packages some 5 GB) has the rest: both built-in models answer, the scripts
train for an update, the adapters are tested. What is not declared is the newest that fits, as pip would have it.
torchao (``low-memory``) is left out: its 0.18 wants a later torch than 2.6. tests/integrations has both as they come.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
TESTERS = [each for each in EXTRAS["dev"] if each.startswith(("pytest", "hypothesis"))]
LIBRARIES = {
    "core": ["cli"],
    "train": ["train", "cli", "opencv", "parquet", "figures", "pages", "preferences", "dev"],
}
FOLDERS = {"core": ".venvs/lowest", "train": ".venvs/lowest-train"}
TESTS = {
    "core": [
        "--ignore=tests/core/test_special_tokens.py", "--ignore=tests/core/test_lazy.py", "tests/core",
        "--ignore=tests/numeric/test_text.py", "tests/numeric", "tests/replay",
        "tests/cli/test_listing.py", "tests/cli/test_show.py", "tests/generalpoints/test_env.py",
        "tests/generalpoints/test_verifier.py", "tests/generalpoints/pictures", "tests/virl/test_env.py",
        "tests/virl/test_verifier.py", "tests/virl/pictures/test_panorama.py",
        "--deselect=tests/virl/pictures/test_panorama.py::"
        "test_without_opencv_auto_is_numpy_and_opencv_says_what_to_install",
    ],
    "train": [
        "tests/core/test_lazy.py",
        "tests/virl/pictures/test_panorama.py", "tests/numeric/test_text.py", "tests/adapters",
        "tests/evaluation/test_policy_table.py", "tests/evaluation/test_success.py", "tests/examples/test_sft.py",
        "tests/examples/test_ppo.py", "tests/pages", "tests/examples/test_label.py",
        "tests/examples/test_dpo.py", "tests/examples/test_grpo.py",
    ],
}  # fmt: skip
PLAY = """
import gymnasium as gym, verienv
from verienv.core import tasks

for task in tasks.every():
    for env_id in (*task.environments, *task.numeric):
        env = gym.make(env_id)
        observation, info = env.reset(seed=0)
        assert env.observation_space.contains(observation), env_id
        for step in range(1000):
            expert = getattr(env.unwrapped, "expert_response", None)
            action = expert() if expert else env.action_space.sample(info.get("action_mask"))
            observation, reward, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                break
        assert terminated and (info["is_success"] or not expert), env_id
        print(env_id, "reward", reward, "after", step + 1)
"""
ANSWER = """
import sys
sys.path.insert(0, "examples")
import gymnasium as gym, verienv
from verienv.policies import HuggingFacePolicy
from verienv.core.dialogue import with_pictures

for name, env_id in (("tiny-lm", "verienv/GeneralPoints-L-v0"), ("tiny-vlm", "verienv/GeneralPoints-VL-v0")):
    env = gym.make(env_id)
    env.reset(seed=0)
    episode = verienv.Episode.of(env)
    (said,) = HuggingFacePolicy.load(name, device="cpu")([with_pictures(episode.messages, episode.pictures)])
    print(name, repr(said), episode.answer(said).failure or "correct")
"""


def run(*command: object) -> str:
    """Run to the end, here; what it prints is shown and returned. A failure ends this script with its status."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    print("$", " ".join(map(str, command))[:160].replace("\n", " "), flush=True)
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment | {"OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    print(done.stdout, flush=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


def installed(python: Path) -> dict[str, str]:
    """The versions there by name."""
    listed = run(sys.executable, "-m", "uv", "pip", "list", "--quiet", "--format", "json", "--python", python)
    return {name_of(each["name"]): each["version"] for each in json.loads(listed)}


def is_version(lowest: str, version: str) -> bool:
    """Whether a version is the lowest one that is declared: 5.0 is 5.0.0, and 2.4 is 2.4.0 or its first fix."""
    parts = version.partition("+")[0].split(".")
    return parts[: len(lowest.split("."))] == lowest.split(".")


def check(kind: str) -> set[str]:
    """Install, play and test; the declared requirements of which the lowest version was there."""
    python = ROOT / FOLDERS[kind] / "bin" / "python"
    run(sys.executable, "-m", "uv", "venv", "--quiet", "--clear", "--python", sys.executable, ROOT / FOLDERS[kind])
    lowest = ["--resolution", "lowest-direct", "-e", f".[{','.join(LIBRARIES[kind])}]"]
    run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *lowest, *TESTERS)
    there = installed(python)
    declared = [*PROJECT["dependencies"], *(each for extra in LIBRARIES[kind] for each in EXTRAS[extra])]
    lowest_there = {each for each in declared if is_version(each.partition(">=")[2], there[name_of(each)])}
    run(python, "-W", "error", "-c", PLAY)
    if kind == "train":
        run(python, "-W", "error", "-W", "ignore::ResourceWarning", "-c", ANSWER)  # torch 2.6 leaves a folder open
    run(python, "-m", "pytest", "-p", "no:cacheprovider", *TESTS[kind])
    return lowest_there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=FOLDERS, help="one of the two")
    only = parser.parse_args().only
    kinds = [only] if only else list(FOLDERS)
    used = set().union(*map(check, kinds))
    declared = {
        *PROJECT["dependencies"],
        *(each for kind in kinds for extra in LIBRARIES[kind] for each in EXTRAS[extra]),
    }
    if not only and declared - used:
        raise SystemExit(f"declare what can be installed: {', '.join(sorted(declared - used))} was never the lowest")
    print(f"the lowest versions work: {', '.join(sorted(used))}")


if __name__ == "__main__":
    main()
