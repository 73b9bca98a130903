"""verienv in lm-evaluation-harness: one answer to each question. The folder of this module holds the tasks' YAML files.

    pip install "verienv[lm-eval]"
    tasks=$(python -c "import verienv.adapters.lm_eval as tasks; print(tasks.__path__[0])")
    lm_eval run --include_path $tasks --tasks verienv_generalpoints --metadata split=rule_ood n=500 \\
        --model local-chat-completions --model_args model=...,base_url=http://.../v1/chat/completions \\
        --apply_chat_template

Tasks: ``verienv_generalpoints``, ``verienv_virl`` (one waypoint each of ``n`` routes) and, by sight,
``verienv_generalpoints_vl``, ``verienv_virl_vl``. ``--metadata`` takes ``split`` ("test"), ``n`` (200), ``seed``,
further ``settings`` (``'{"settings": {"cards": 5}}'``), or ``rows``, a file of exported rows as JSON lines.

The harness knows no second attempt: ``correct`` is the share of single answers that are correct, not the success of
episodes. Its own standard error takes rows for independent; ``correct_stderr_by_cluster`` heeds the unit of inference.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import nan, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verienv.core.dialogue import images_of, tagged_text, without_system
from verienv.core.episode import Episode
from verienv.core.reading import read_lines
from verienv.core.rows import read, rows
from verienv.core.shown import shown, shown_path

if TYPE_CHECKING:
    from datasets import DatasetDict
    from PIL.Image import Image

ONE_ATTEMPT = {"attempts": 1}
RECOGNITION = "recognition"


def dataset(
    env_id: str,
    fixed: Mapping[str, Any] | None = None,
    *,
    split: str = "test",
    n: int = 200,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    rows: str | None = None,
    **_: Any,
) -> DatasetDict:
    """Make the questions of a task, as ``custom_dataset`` of its YAML file.

    Args:
        env_id: the environment, as the file says.
        fixed: settings that the file fixes.
        split: and ``n``, ``seed``: as for ``verienv.rows``.
        settings: further ones, as for ``gym.make``.
        rows: a file of rows, one in a line as JSON, in place of all that.

    Further keywords, such as the harness's own arguments of a model, are ignored.

    Raises:
        ValueError: for arguments out of range, several attempts, or a file that holds no rows.
    """
    from datasets import Dataset, DatasetDict

    if rows is None:
        own = {**(settings or {}), **(fixed or {}), **ONE_ATTEMPT}
        if changed := [name for name, value in (settings or {}).items() if own[name] != value]:
            raise ValueError(f"settings={shown(settings)}: this task fixes {', '.join(changed)}; leave it out")
        found = [document(row, trusted=True) for row in _rows(env_id, split, n, seed, own)]
    else:
        found = [document(row) for row in read_rows(rows)]
    return DatasetDict({"test": Dataset.from_list(found)})


def _rows(env_id: str, split: str, n: int, seed: int, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    return rows(env_id, split, n, seed, unit="question", **settings)


def read_rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON lines. Raises ValueError for lines that hold none, and for an empty file."""
    number = 0
    with Path(path).open("rb") as file:
        for number, line in enumerate(read_lines(file, path), 1):
            try:
                row = json.loads(line)
                read(row)
            except (ValueError, RecursionError) as error:
                raise ValueError(
                    f"{shown_path(path)}, line {number}: expected a row of verienv.rows: {error}"
                ) from None
            yield row
    if not number:
        raise ValueError(f"{shown_path(path)}: there are no rows in it; write those of verienv.rows, one in a line")


def document(row: Mapping[str, Any], *, trusted: bool = False) -> dict[str, Any]:
    """Return a row as a document of the harness: texts and a flag. In ``text`` "<image>" stands for each picture."""
    episode = Episode.of(row, trusted=trusted)
    return {
        "id": str(row.get("id") or episode.instance),
        "text": tagged_text(without_system(episode.messages)[0]),
        "target": episode.expert(),
        "cluster": episode.question.cluster,
        "row": json.dumps({name: value for name, value in row.items() if name != "prompt"}),
        "trusted": trusted,
    }


def pictures(doc: Mapping[str, Any]) -> list[Image]:
    """Draw the pictures of a document, as its ``doc_to_image``."""
    return images_of(Episode.of(json.loads(doc["row"]), trusted=doc["trusted"]).pictures)


def process_results(doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, Any]:
    """Judge the answer to a document. Never raises on it; of several (``repeats``) the first one counts."""
    said = results[0] if results else ""
    while isinstance(said, list | tuple):
        said = said[0] if said else ""
    episode = Episode(read(json.loads(doc["row"])), alone=True)
    verdict = episode.answer(said)
    correct = float(verdict.is_correct)
    found = {
        "correct": correct,
        "correct_stderr_by_cluster": (correct, doc["cluster"]),
        "reward": verdict.reward,
    }
    measures = episode.measures
    for name, heading in measures.headings.items():
        if heading == RECOGNITION and episode.question.vision:
            metric = measures.ratios.get(name, (name,))[0]
            found[RECOGNITION] = float(verdict.metrics[metric])
    return found


def stderr_by_cluster(pairs: Sequence[tuple[float, str]]) -> float:
    """Return the standard error of the mean of values, each with its cluster; NaN of fewer than two clusters."""
    sums, mean = defaultdict[str, float](float), sum(value for value, _ in pairs) / len(pairs)
    for value, cluster in pairs:
        sums[cluster] += value - mean
    count = len(sums)
    squares = sum(each**2 for each in sums.values())
    return sqrt(squares * count / (count - 1)) / len(pairs) if count > 1 else nan
