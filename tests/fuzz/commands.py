"""Commands of the command line, each with the files that it writes and the streams that it needs."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.shared import ENV, INSTANCE, ROUTES, SOLVED, VISION, lines_of
from tests.virl.paper_data.paper_folders import folder

VERIENV = [sys.executable, "-c", "from verienv.cli import main; main()"]


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        words: its arguments.
        files: the files and folders that it writes.
        typed: what it is given on stdin.
        reads: whether it needs stdin.
        prints: whether it writes to stdout.
        tells: whether it writes to stderr.
    """

    words: str
    files: tuple[str, ...] = ()
    typed: str = ""
    reads: bool = False
    prints: bool = True
    tells: bool = False

    def arguments(self) -> list[str]:
        return [*VERIENV, *self.words.split()]


ROW = lines_of({"response": SOLVED, "instance": INSTANCE})
EVALUATE = f"evaluate {ENV} --baseline constant --splits test --episodes 20"
COMMANDS = (
    Command("--help"),
    Command("--version"),
    Command("evaluate --help"),
    Command("envs"),
    Command(f"show {ENV} --answer"),
    Command("show VIRL-Discrete"),
    Command("play --seed 1", typed="1+1\n?\ngive up\nq\n", reads=True),
    Command("verify rows.jsonl"),
    Command("verify - --out -", typed=ROW, reads=True, tells=True),
    Command(f"demos {ENV} -n 300"),
    Command(EVALUATE),
)
WRITING = (
    Command(f"show {VISION} --image i.png --replay r.html --sheet s.png", ("i.png", "r.html", "s.png")),
    Command(f"show {ROUTES} --map m.png --replay r.html", ("m.png", "r.html")),
    Command("verify rows.jsonl.gz --out v.jsonl", ("v.jsonl",)),
    Command(f"demos {ENV} -n 3000 --out d.jsonl", ("d.jsonl",), prints=False, tells=True),
    Command(f"demos {VISION} -s image_size=96 -n 60 --out p.jsonl", ("p.jsonl", "p_images"), prints=False, tells=True),
    Command(f"{EVALUATE} --out e.json", ("e.json",)),
    Command(f"{EVALUATE} --out e.csv.gz --log l.jsonl", ("e.csv.gz",), tells=True),
    Command("convert data routes.json", ("routes.json",), tells=True),
)


def prepared(path: Path) -> Path:
    """Make a folder in which every command finds what it reads, and a folder for passing files."""
    import gzip

    folder(path / "data")
    (path / "rows.jsonl").write_text(ROW)
    (path / "rows.jsonl.gz").write_bytes(gzip.compress(ROW.encode() * 2000, mtime=0))
    (path / "tmp").mkdir()
    return path


def environment(path: Path) -> dict[str, str]:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**buffered, "TMPDIR": str(path / "tmp"), "COLUMNS": "80"}


def held(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of files, and of those in folders, by name."""
    found = {}
    for name in names:
        whole = path / name
        for file in sorted(whole.iterdir()) if whole.is_dir() else [whole]:
            if file.is_file():
                found[str(file.relative_to(path))] = file.read_bytes()
    return found


def run(
    command: Command, path: Path, through: Sequence[str] = (), check: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Run a command, as arguments of another where ``through`` names one."""
    return subprocess.run(
        [*through, *command.arguments()],
        cwd=path,
        env=environment(path),
        input=command.typed,
        capture_output=True,
        text=True,
        check=check,
        timeout=300,
    )
