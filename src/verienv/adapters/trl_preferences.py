"""Labelled pairs as a dataset of TRL's. Import from ``verienv.adapters.trl``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from verienv.core.reading import file_within, read_bytes
from verienv.preferences import read_labels, read_pairs, training_rows
from verienv.preferences.consensus import Method
from verienv.preferences.rows import Ties

if TYPE_CHECKING:
    from datasets import Dataset


def preferences(
    pairs: str | Path, labels: str | Path | Iterable[str | Path], *, method: Method = "majority", ties: Ties = "drop"
) -> Dataset:
    """Make rows for DPOTrainer and, in words, RewardTrainer from labelled pairs. No verdict is read.

    Args:
        pairs: a file of pairs, as ``examples/pairs.py`` writes it.
        labels: files of their labels.
        method: how several labels of a pair become one: "majority" or "dawid-skene".
        ties: "drop", or "soft" for rows with ``p`` 0.5, for a loss that reads it.

    Returns:
        A ``datasets.Dataset`` with ``prompt``, ``chosen``, ``rejected`` (chat messages), ``p``, ``labels``, ``pair``,
        ``question``, ``cluster`` and, where there are pictures, ``images``. TRL's own losses do not read ``p``.

    Raises:
        ValueError: for a file that cannot be read, or labels that leave no row.
        ImportError: if ``datasets`` is not installed.
    """
    try:
        from datasets import Dataset, Image
    except ImportError:
        raise ImportError("TRL's datasets need the package datasets: pip install trl") from None

    known = read_pairs(pairs)
    rows = list(training_rows(known, read_labels(labels, known), method=method, ties=ties))
    if not rows:
        raise ValueError("the labels leave no row to train on: they are ties or skipped, or there are none")
    folder = Path(pairs).parent
    pictures = [
        [{"bytes": read_bytes(file_within(folder, name)), "path": None} for name in row.pop("images", ())]
        for row in rows
    ]
    table = Dataset.from_list(rows)
    return table.add_column("images", pictures, feature=[Image()]) if any(pictures) else table
