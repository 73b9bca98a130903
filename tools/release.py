"""Build and check a release, install it on every Python that it claims, and stop before anything is published.

python tools/release.py                 # refuses, and says why, where something is missing
python tools/release.py --rehearsal     # does everything, and names what a release would still need
python tools/release.py --python ~/.pyenv/versions/3.12.1/bin/python    # an interpreter that uv does not find
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from check_wheel import ROOT, USE, environment, run

TWINE = "twine==7.0.0"
CLAIM = re.compile(r"Programming Language :: Python :: (3\.\d+)")
TESTS = (
    "tests/test_packaging.py", "tests/core", "tests/generalpoints/test_verifier.py", "tests/virl/test_verifier.py",
    "tests/evaluation/benchmark", "tests/contract/test_structure.py",
)  # fmt: skip
"""Tests that the source archive runs by itself."""


def lacking(project: dict[str, Any], version: str, changelog: str, citation: str) -> list[str]:
    """Return what a release still needs, in words.

    Args:
        project: the table of pyproject.toml.
        version: of the package.
        changelog, citation: the texts of CHANGELOG.md and CITATION.cff.
    """
    found = []
    if not project.get("urls"):
        found.append("pyproject.toml has no [project.urls]: give the project's home, and its issues")
    if not re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        found.append(f'CHANGELOG.md has no section "## {version}"')
    if re.search(r"^## Not released yet", changelog, re.MULTILINE):
        found.append('CHANGELOG.md still has "## Not released yet": give that section the version')
    if not re.search(rf"^version: [\"']?{re.escape(version)}[\"']?$", citation, re.MULTILINE):
        found.append(f"CITATION.cff is not of version {version}")
    return found


def claimed(project: dict[str, Any]) -> list[str]:
    """Return the versions of Python that the package claims."""
    return [match[1] for each in project["classifiers"] if (match := CLAIM.fullmatch(each))]


def version_of(python: str | Path) -> str:
    """Return the version of an interpreter as "3.12", "" if it does not run."""
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def interpreter(version: str, given: list[Path]) -> Path | None:
    """Return an interpreter of a version: a given one, or one that uv finds or can download; None without any."""
    for python in given:
        if version_of(python) == version:
            return python
    for command in (("find", version), ("install", "--quiet", version), ("find", version)):
        done = subprocess.run([sys.executable, "-m", "uv", "python", *command], capture_output=True, text=True)
        found = done.stdout.strip()
        if done.returncode == 0 and found and version_of(found) == version:
            return Path(found)
    return None


def install_and_use(python: Path, wheel: Path, folder: Path) -> None:
    """Install the wheel as its users do, with the newest versions that fit, and use it; a fault ends this script."""
    uv = [sys.executable, "-m", "uv"]
    clean = folder / f"venv-{version_of(python)}"
    run(*uv, "venv", "--quiet", "--python", python, clean, cwd=folder)
    programs = clean / "bin"
    run(*uv, "pip", "install", "--quiet", "--python", programs / "python", f"{wheel}[cli]", cwd=folder)
    run(programs / "python", "-W", "error", "-c", USE, cwd=folder)
    run(programs / "verienv", "--version", cwd=folder)
    run(programs / "verienv", "evaluate", "GeneralPoints-L", "--baseline", "expert", "--episodes", "2", cwd=folder)


def test_source(archive: Path, folder: Path) -> None:
    """Run tests from the unpacked source archive alone."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (unpacked,) = folder.glob("verienv-*")
    own = environment() | {"PYTHONPATH": str(unpacked / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    if status := subprocess.run(command, cwd=unpacked, env=own).returncode:
        raise SystemExit(f"the tests of {archive.name} failed with status {status}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearsal", action="store_true", help="go on where something is missing")
    parser.add_argument("--python", type=Path, action="append", default=[], help="an interpreter; may be repeated")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder of the release")
    arguments = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = re.search(r'"(.+)"', (ROOT / "src" / "verienv" / "core" / "version.py").read_text().partition("=")[2])
    assert version
    missing = lacking(
        project, version[1], (ROOT / "CHANGELOG.md").read_text("utf-8"), (ROOT / "CITATION.cff").read_text("utf-8")
    )
    changes = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    if changes:
        missing.append("the working tree has changes: commit them")
    for fault in missing:
        print(f"not ready: {fault}", file=sys.stderr)
    if missing and not arguments.rehearsal:
        raise SystemExit(2)
    out = arguments.out.resolve()
    run(sys.executable, ROOT / "tools" / "check_wheel.py", "--out", out, cwd=ROOT)
    (wheel,), (source,) = out.glob("verienv-*.whl"), out.glob("verienv-*.tar.gz")
    uv = [sys.executable, "-m", "uv"]
    run(*uv, "tool", "run", "--quiet", "--from", TWINE, "twine", "check", "--strict", wheel, source, cwd=ROOT)
    checked, absent = [], []
    with TemporaryDirectory() as temporary:
        for python in claimed(project):
            found = interpreter(python, arguments.python)
            if found is None:
                absent.append(python)
                continue
            print(f"Python {python}: installing the wheel into a clean environment ...", flush=True)
            install_and_use(found, wheel, Path(temporary))
            checked.append(python)
        print("running tests from the source archive alone ...", flush=True)
        test_source(source, Path(temporary))
    print(f"{wheel.name} and {source.name} are checked on Python {', '.join(checked) or 'none'}")
    if absent:
        print(f"not to be had here, so not checked: Python {', '.join(absent)}; name an interpreter with --python")
    if missing:
        print("this was a rehearsal; before a release: " + "; ".join(missing))
    print(f"nothing is published: whoever may, types  twine upload {out}/verienv-{version[1]}*")
    if absent or not checked:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
