"""Label pairs of responses: a page in the browser, or questions in the terminal. Nothing shown tells which is better.

    python examples/label.py runs/pairs                              # prints a URL: open it, give a pseudonym
    python examples/label.py runs/pairs --guidelines guidelines.txt --overlap 0.3
    python examples/label.py runs/pairs --terminal --annotator ann   # pictures are named, not shown

Keys: 1 left, 2 right, 0 tie, s skip, z undo, ? help. A label is on disk, in <folder>/labels.jsonl, before the next
pair shows; the same command goes on where it stopped. Several annotators open the same URL, each under a pseudonym:
--overlap of the pairs are shown to all of them, the others to whoever comes first. The server answers this machine
alone; from another one: ssh -L 8123:127.0.0.1:8123 HOST, and --port 8123 here. `verienv agreement` reads the labels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from pydantic import BaseModel, TypeAdapter, ValidationError

from verienv.core.reading import read_bytes
from verienv.pages.html import Page
from verienv.pages.server import new_app, picture, serve
from verienv.preferences import Pair, RecordWriter, read_labels, read_pairs
from verienv.preferences.labelling import Labelling, NotDueError, ShownPair
from verienv.preferences.records import Name, hash_of

PAGE = Path(__file__).with_name("label.html")
KEYS = {"1": "left", "2": "right", "0": "tie", "s": "skip"}
GUIDELINES = """Choose the response that answers the question better: the right one before a wrong one, and of two \
wrong ones that which goes wrong less. Check what can be checked: what is given, every step, the result.
Choose "tie" if both are equally good, also if both are right. Length, order and wording do not count.
Choose "skip" if you cannot judge; a skipped pair is no label. Take your time: nobody is measured by speed."""


@dataclass
class Arguments:
    """Arguments of labelling."""

    folder: tyro.conf.Positional[Path]
    """Folder of the pairs, as examples/pairs.py makes it."""
    labels: Path | None = None
    """File that labels are added to; <folder>/labels.jsonl by default."""
    guidelines: Path | None = None
    """Text that annotators are given; its hash goes into every label."""
    overlap: float = 0.2
    """Share of the pairs that every annotator is shown."""
    repeats: float = 0.05
    """Share of the pairs that an annotator is asked again, to see whether the answer is the same."""
    seed: int = 0
    """Fixes the order of pairs and sides, which are drawn for each annotator."""
    port: int = 0
    """Port on 127.0.0.1; 0 takes a free one."""
    terminal: bool = False
    """Ask in the terminal."""
    annotator: str = ""
    """Pseudonym, for --terminal."""


class Undone(BaseModel):
    """The body of a request to take back the newest label."""

    annotator: Name


class Answered(Undone):
    """The body of a request to label."""

    token: str
    said: str


def application(labelling: Labelling, pairs: dict[str, Pair], folder: Path, page: Page) -> Any:
    """Return the application of the page. Its functions run one after another, so that no two labels cross."""
    from fastapi import HTTPException
    from fastapi.responses import HTMLResponse

    app, pictures = new_app(), {name for pair in pairs.values() for name in pair.images}

    @app.get("/", response_class=HTMLResponse)
    async def _page() -> str:
        return page.holding({"guidelines": labelling.guidelines})

    @app.get("/due")
    async def _due(annotator: Name) -> dict[str, Any]:
        return told(labelling.next(annotator))

    @app.post("/answer")
    async def _answer(body: Answered) -> dict[str, Any]:
        try:
            labelling.answer(body.annotator, body.token, body.said)
        except NotDueError:
            pass  # a second tab, or a key pressed twice: what is due is shown
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        except OSError as error:
            raise HTTPException(507, f"the label could not be written ({error.strerror}); it does not count") from None
        return told(labelling.next(body.annotator))

    @app.post("/undo")
    async def _undo(body: Undone) -> dict[str, Any]:
        labelling.undo(body.annotator)
        return told(labelling.next(body.annotator))

    @app.get("/picture/{name:path}")
    async def _picture(name: str) -> Any:
        if name not in pictures:
            raise HTTPException(404, "no pair shows this picture")
        return picture(folder, name)

    return app


def told(due: ShownPair | None) -> dict[str, Any]:
    """Return what the page is told of a pair: nothing of where it comes from, or whether it is asked again."""
    if due is None:
        return {"finished": True}
    return {
        "token": due.token,
        "question": due.pair.words,
        "pictures": [f"/picture/{name}" for name in due.pair.images],
        "left": due.left,
        "right": due.right,
        "done": due.done,
        "total": due.total,
    }


def visible(text: str) -> str:
    """Return text of a policy with what a terminal would obey written out."""
    return "".join(mark if mark.isprintable() or mark == "\n" else ascii(mark)[1:-1] for mark in text)


def ask(
    labelling: Labelling,
    annotator: str,
    folder: Path,
    read: Callable[[str], str] = input,
    write: Callable[[str], Any] = print,
) -> None:
    """Ask an annotator in the terminal until no pair is left, or the input ends."""
    write(f"{labelling.guidelines}\n\n1 left, 2 right, 0 tie, s skip, z undo, q quit")
    while due := labelling.next(annotator):
        shown = "".join(f"\n[picture: {folder / name}]" for name in due.pair.images)
        write(f"\n--- {due.done} of {due.total} ---\n{visible(due.pair.words)}{shown}")
        write(f"\n1: {visible(due.left) or '(nothing)'}\n2: {visible(due.right) or '(nothing)'}")
        try:
            said = read("> ").strip().lower()
        except EOFError:
            return
        if said == "q":
            return
        if said == "z":
            labelling.undo(annotator)
        elif said in KEYS:
            labelling.answer(annotator, due.token, KEYS[said])
        else:
            write("1 left, 2 right, 0 tie, s skip, z undo, q quit")
    write("No pair is left. Thank you.")


def text_of(path: Path) -> str:
    """Return the guidelines of a file. Raises ValueError for what is no text in UTF-8, or longer than 64 KB."""
    try:
        return read_bytes(path, 2**16, "write them there, or leave --guidelines out").decode()
    except UnicodeDecodeError:
        raise ValueError(f"--guidelines {path}: is no text in UTF-8") from None


def label(arguments: Arguments) -> None:
    """Let annotators label the pairs of a folder."""
    path = arguments.labels or arguments.folder / "labels.jsonl"
    pairs = read_pairs(arguments.folder / "pairs.jsonl")
    guidelines = text_of(arguments.guidelines) if arguments.guidelines else GUIDELINES
    if arguments.terminal:
        try:
            TypeAdapter(Name).validate_python(arguments.annotator)
        except ValidationError:
            raise ValueError(f"--annotator {arguments.annotator!r}: give a pseudonym of letters and digits") from None
    with RecordWriter(path) as file:
        how = {"overlap": arguments.overlap, "repeats": arguments.repeats, "seed": arguments.seed}
        there = read_labels(path, pairs)
        own = ("", hash_of(guidelines))
        if others := sum(one.kind == "human" and one.guidelines not in own for one in there):
            told = f"{others} labels in {path} follow other guidelines; --labels FILE keeps these apart"
            print(f"note: {told}", file=sys.stderr)
        labelling = Labelling(pairs, there, file.add, guidelines=guidelines, **how)
        if arguments.terminal:
            ask(labelling, arguments.annotator, arguments.folder)
            return
        page = Page.read(PAGE)
        app = application(labelling, pairs, arguments.folder, page)
        serve(
            app,
            page,
            port=arguments.port,
            ready=lambda url: print(f"{url}\nlabels go to {path}; Ctrl-C ends", flush=True),
        )


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    try:
        label(given)
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
