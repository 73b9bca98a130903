"""A new user with nothing but README: a fresh environment, its commands and its blocks, in an empty folder."""

import os
import re
import shlex
import subprocess
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
WORDS_A_MINUTE = 220

pytestmark = pytest.mark.integrations


def run(command: str, programs: Path, folder: Path) -> str:
    """Run a command as a shell in which the fresh environment is active; return what it prints."""
    left_out = ("PYTHONPATH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    settings = {**kept, "PATH": f"{programs}{os.pathsep}{kept['PATH']}", "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_front_page_alone_leads_from_an_installation_to_misread_hands(tmp_path: Path) -> None:
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        pytest.skip("needs torch, which the fresh environment borrows in place of fetching it")
    venv.create(tmp_path / "venv", with_pip=True)
    programs, folder = tmp_path / "venv" / "bin", tmp_path / "empty"
    folder.mkdir()
    shell = [block for language, block in BLOCKS if language == "sh"]
    (install,) = [block for block in shell if block.startswith("pip install")]
    run(install, programs, ROOT)
    assert str(tmp_path) in run("python -c 'import verienv; print(verienv.__file__)'", programs, folder)

    python = [block for language, block in BLOCKS if language == "python"]
    said = [run(f"python -c {shlex.quote(block)}", programs, folder) for block in python]
    (shown,) = [block for language, block in BLOCKS if language == "text"]
    assert said[0] == shown
    assert "'success': 1.0" in said[1]
    assert "VerifierReport(cases=" in said[2]

    (packages,) = programs.parent.glob("lib/python3*/site-packages")
    (packages / "borrowed.pth").write_text(f"{Path(torch.origin).parents[1]}\n")
    (look,) = [block for block in shell if block.startswith("verienv evaluate")]
    table = run(look, programs, folder)
    assert "misread" in table
    log = (folder / "hands.jsonl").read_text()
    assert log.count('"misread"') >= 5
    page = (folder / "hands.html").read_text()
    assert "misread" in page

    typed = [line for block in shell for line in block.splitlines()]
    assert len(README.split()) / WORDS_A_MINUTE + len(typed) * 0.1 < 6
