"""Records made for tests."""

import json
from pathlib import Path
from typing import Any

from verienv import Verdict
from verienv.preferences import Label, Pair, PairVerdicts

RIGHT = Verdict(reward=5.0, is_correct=True)
WRONG = Verdict(reward=-1.0, is_correct=False, failure="wrong_result")


def pair(number: int = 0, **fields: Any) -> Pair:
    about = {"env_id": "verienv/GeneralPoints-L-v0", "split": "train", "instance": f"hand:{number}"}
    about |= {"cluster": f"hand:{number}", "question": f"q{number}", "pair": f"q{number}/0-1"}
    asked = {"prompt": [{"role": "user", "content": f"Question {number}?"}], "a": '{"formula": "1"}', "b": "no idea"}
    return Pair.model_validate({**about, **asked, **fields})


def label(pair: str = "q0/0-1", choice: str = "a", annotator: str = "ann", **fields: Any) -> Label:
    return Label.model_validate({"kind": "human", **fields, "pair": pair, "choice": choice, "annotator": annotator})


def verdicts(number: int = 0, better: str = "a", **fields: Any) -> PairVerdicts:
    a, b = {"a": (RIGHT, WRONG), "b": (WRONG, RIGHT), "tie": (WRONG, WRONG)}[better]
    return PairVerdicts(**{"pair": f"q{number}/0-1", "cluster": f"hand:{number}", "a": a, "b": b, **fields})


def written(path: Path, *records: Any) -> Path:
    """Write records, or dicts, or bytes as they are, each a line."""
    lines = [
        each
        if isinstance(each, bytes)
        else (json.dumps(each) if isinstance(each, dict) else each.model_dump_json()).encode() + b"\n"
        for each in records
    ]
    path.write_bytes(b"".join(lines))
    return path
