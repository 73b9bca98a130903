"""Damaged tables are audited and converted, or refused in one line."""

import random
from pathlib import Path

from tests.fuzz.tables import check_line, tables


def test_a_damaged_table_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    read = 0
    for _, load in zip(range(120), tables(tmp_path, random.Random(0), packed=False), strict=False):
        try:
            load()
            read += 1
        except (ValueError, OSError) as error:
            check_line(str(error))
    assert 30 < read < 120
