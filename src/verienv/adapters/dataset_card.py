"""Dataset cards: a README that a hub of data sets reads, and that says how each row is judged and dealt again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from verienv.core.task import Task
from verienv.core.version import __version__

SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
"""The hub's classes of size, each below a number of rows."""
USES = {
    "rows": "Each row is an episode: a prompt, and all that is needed to judge a response and to go on.",
    "questions": "Each row is one question: a prompt, and all that is needed to judge a response.",
    "sft": "Each row is a question and a right response: a prompt and a completion.",
    "revision": "Each row is a dialogue with wrong attempts, what was said of them, and the right one.",
    "preference": "Each row is a question with a right response (chosen) and a wrong one (rejected).",
}
"""The kinds of rows, each with what a row is."""
JUDGED = ("rows", "questions")
"""The kinds whose rows hold the settings by which a response is judged."""
JUDGE = """## Judge a response

```python
import verienv
from datasets import load_dataset

row = load_dataset("parquet", data_files="{file}", split="train")[0]
verdict = verienv.judge(row, "a response")
print(verdict.reward, verdict.failure)
```
"""


@dataclass(frozen=True)
class DatasetFile:
    """One split's file: its path within the folder, its rows, the SHA-256 of its bytes, the names of its columns."""

    path: str
    rows: int
    sha256: str
    columns: tuple[str, ...] = field(default=())


def dataset_card(
    task: Task, env_id: str, kind: str, seed: int, settings: Mapping[str, Any], files: Mapping[str, DatasetFile]
) -> str:
    """Return the card of files by split: metadata in YAML, then what the rows are, in words.

    Args:
        task: of the rows.
        env_id: its environment.
        kind: one of ``USES``.
        seed, settings: of the rows, settings as plain data.
        files: by split.
    """
    whole = sum(one.rows for one in files.values())
    with_pictures = any("images" in one.columns for one in files.values())
    license_id, credit = task.data_license
    splits = "".join(f"  - split: {split}\n    path: {one.path}\n" for split, one in files.items())
    size = next((name for most, name in SIZES if whole < most), "n>10M")
    title = f"{task.title}, {kind}{' with pictures' if with_pictures else ''}"
    head = [
        "---",
        f"pretty_name: {json.dumps(title)}",
        *([f"license: {license_id}"] if license_id else []),
        "language:\n- en",
        f"task_categories:\n- {'visual-question-answering' if with_pictures else 'question-answering'}",
        f"size_categories:\n- {size}",
        "tags:\n- verienv\n- verifiable-rewards\n- reinforcement-learning",
        f"configs:\n- config_name: default\n  data_files:\n{splits.rstrip()}",
        "---",
    ]
    table = "".join(f"| {split} | {one.rows:,} | `{one.path}` |\n" for split, one in files.items())
    shown = "\n".join(f"    {line}" for line in json.dumps(dict(settings), indent=1, sort_keys=True).splitlines())
    body = [
        f"# {title}",
        f"{USES[kind]} Made by verienv {__version__}: `{env_id}`, seed {seed}.",
        f"| split | rows | file |\n|---|---:|---|\n{table}",
        f"Settings of every split:\n\n{shown}",
        *([JUDGE.format(file=next(iter(files.values())).path)] if kind in JUDGED else []),
        "`manifest.json` holds the SHA-256 of each file, and what made it.",
        *([credit] if credit else []),
    ]
    return "\n".join(head) + "\n\n" + "\n\n".join(part.strip("\n") for part in body) + "\n"
