"""Pack what a GPU machine without network lacks: wheels for its Python, to be carried there with this repository.

    python tools/pack_wheels.py                    # for CPython 3.12 on x86-64 Linux, into .wheels
    python tools/pack_wheels.py --trl --python 3.11
    python tools/pack_wheels.py --limit 64         # exit status 1 where tree and wheels are above so many MiB

The machine has PyTorch, transformers and what these need; versions are those of constraints.txt. Prints sizes, and the
command that installs the wheels there and runs a part of the GPU check.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[1]
NEEDED = (
    "gymnasium", "farama-notifications", "cloudpickle", "pydantic", "pydantic-core", "annotated-types",
    "typing-inspection", "typing-extensions", "tyro", "docstring-parser", "typeguard",
)  # fmt: skip
FOR_TRL = ("trl", "datasets", "dill", "multiprocess", "xxhash")
"""What TRL wants beyond; pyarrow and pandas, 60 MB, are taken to be there."""
MIB = 2**20


@dataclass
class Arguments:
    out: Path = ROOT / ".wheels"
    """An ignored folder."""
    python: str = "3.12"
    """Version of CPython there."""
    trl: bool = False
    """TRL too, for the comparison."""
    limit: float = 0.0
    """MiB that may be carried; 0 for no limit."""


def pinned(name: str, constraints: str) -> str:
    """Return a requirement at the version of constraints.txt, as ``name==version``. Raises ValueError without one."""
    parts = re.sub(r"[-_]", "[-_]", re.escape(name).replace(r"\-", "-"))
    found = re.search(rf"^{parts}==(\S+)", constraints, re.MULTILINE | re.IGNORECASE)
    if not found:
        raise ValueError(f"constraints.txt pins no {name}; pin it, or leave it out of tools/pack_wheels.py")
    return f"{name}=={found[1]}"


def download(requirements: list[str], arguments: Arguments) -> None:
    """Fetch wheels and nothing built here; those that are in the folder already are kept."""
    platforms = [f"--platform=manylinux_2_{number}_x86_64" for number in (28, 27, 24, 17)]
    platforms += ["--platform=manylinux2014_x86_64"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += [f"--python-version={arguments.python}", "--implementation=cp", *platforms, f"--dest={arguments.out}"]
    subprocess.run([*command, *requirements], check=True)


def tree_size() -> int:
    """Return the bytes of the files that travel: tracked ones, and untracked ones that are not ignored."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sum((ROOT / name).stat().st_size for name in names if name and (ROOT / name).is_file())


def command_there(folder: str, part: str = "parity") -> str:
    """Return the one line that installs the wheels beside what is there, and runs a part of the check."""
    install = "python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/site"
    run = f"python3 -u benchmarks/gpu_check.py --part {part} --minutes 7 --out OUT --work /tmp/gpu-check"
    return f"{install} {folder}/*.whl && export PYTHONPATH=/tmp/site:src && {run}"


def main(arguments: Arguments) -> int:
    constraints = (ROOT / "constraints.txt").read_text()
    names = (*NEEDED, *(FOR_TRL if arguments.trl else ()))
    arguments.out.mkdir(parents=True, exist_ok=True)
    download([pinned(name, constraints) for name in names], arguments)
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True)
    (arguments.out / "GIT_REVISION").write_text(revision.stdout)
    wheels = sorted(arguments.out.glob("*.whl"))
    carried, tree = sum(path.stat().st_size for path in wheels), tree_size()
    for path in wheels:
        print(f"{path.stat().st_size / MIB:8.2f} MiB  {path.name}")
    print(f"{carried / MIB:8.2f} MiB  wheels\n{tree / MIB:8.2f} MiB  tree\n{(carried + tree) / MIB:8.2f} MiB  together")
    inside = arguments.out.is_relative_to(ROOT)
    print(command_there(str(arguments.out.relative_to(ROOT)) if inside else str(arguments.out)))
    return int(0 < arguments.limit * MIB < carried + tree)


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(Arguments, description=__doc__)))
