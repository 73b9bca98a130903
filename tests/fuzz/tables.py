"""Damaged tables for ``verienv audit`` and ``verienv convert``: published questions and rows, in every form."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.demos.published import TWELVE, conversation, hand_prompt, route_answer, route_prompt, table_row
from tests.fuzz import damage

import verienv
from verienv.adapters import verl
from verienv.demos import published_rows
from verienv.testing import DealtSplit, audit_rows

ID, ROUTES = "verienv/GeneralPoints-L-v0", "verienv/VIRL-L-v0"
WALKS = {"turns": [1, 1]}


def wholes() -> list[dict[str, Any]]:
    """One right row of each form."""
    rows = [
        conversation(hand_prompt()),
        conversation(route_prompt(), route_answer()),
        table_row(hand_prompt()),
        table_row(hand_prompt(rule=TWELVE), treat_face_cards_as_10=False),
        *verienv.rows(ID, n=1),
        *verienv.rows(ROUTES, n=1, **WALKS),
        *verienv.rows(ROUTES, n=1, unit="question", **WALKS),
        *verienv.demonstrations(ID, "preference", n=1),
        *verl.rows(ID, n=1),
        {"cards": ["4", "3", "2", "K"]},
    ]
    rows += [{"instance": row["instance"]} for row in rows if "instance" in row]
    return [json.loads(json.dumps(row)) for row in rows]


def tables(folder: Path, rng: random.Random, packed: bool = True) -> Iterator[Callable[[], None]]:
    """Write one damaged table after the other, and yield what reads it; ``packed``: parquet and gzip too."""
    whole = wholes()
    forms = [parquet(folder)] if packed else []

    def convert(path: Path) -> None:
        for row in published_rows(path):
            if isinstance(row, ValueError):
                check_line(str(row))
                continue
            kept = json.loads(json.dumps(row))
            verienv.judge(kept, "")
            episode = verienv.Episode.of(kept)
            episode.answer(episode.expert())

    def audit(path: Path) -> None:
        splits = [DealtSplit(ID, "test"), DealtSplit(ROUTES, "test", WALKS, draws=2)] if rng.random() < 0.02 else []
        told: list[str] = []
        found = audit_rows(path, [path, *splits], tell=told.append)
        for line in told:
            check_line(line)
        assert all(0 <= each.rows <= each.of <= found.rows for each in found.shared)

    while True:
        if forms and rng.random() < 0.3:
            path = folder / "a.parquet"
            path.write_bytes(damage.raw(forms[0], rng))
        else:
            rows = [values_or_bytes(rng.choice(whole), rng) for _ in range(rng.randrange(1, 4))]
            path = folder / rng.choice(("a.json", "a.jsonl"))
            data = b"[" + b",".join(rows) + b"]" if path.suffix == ".json" else b"\n".join(rows)
            path.write_bytes(damage.raw(gzip.compress(data, mtime=0), rng) if packed and rng.random() < 0.1 else data)
        yield lambda path=path: convert(path)
        yield lambda path=path: audit(path)


def values_or_bytes(row: dict[str, Any], rng: random.Random) -> bytes:
    return damage.values(row, rng) if rng.random() < 0.7 else damage.raw(json.dumps(row).encode(), rng)


def parquet(folder: Path) -> bytes:
    import pyarrow
    from pyarrow import parquet

    file = BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([table_row(hand_prompt(), index=at) for at in range(3)]), file)
    return file.getvalue()


def check_line(text: str) -> None:
    assert text.isprintable(), ascii(text)
    assert len(text) < 700, ascii(text)
