"""People label pairs in a real browser: Debian's chromium, driven by playwright."""

from pathlib import Path
from shutil import which

import pytest
from tests.integrations.conftest import InLibrary

pytestmark = pytest.mark.integrations


def test_nothing_is_lost_and_nothing_hostile_runs_in_a_real_browser(in_library: InLibrary, tmp_path: Path) -> None:
    chromium = which("chromium")
    if chromium is None:
        pytest.skip("needs a browser: apt-get install chromium")
    told = in_library("browser", "label_in_browser.py", chromium, tmp_path / "pairs")
    assert told["picture"] == [300, 300, True]
    assert told["reload shows the same"]
    assert told["on disk at once"]
    assert told["undo shows it again"]
    assert told["attack"] == ["blocked"] * 4
    assert told["lines before the kill"] == 5
    assert all(told[f"inside the page {done}"] for done in range(3, 6))
    assert told["titles"] == ["Which response is better?"] * 2
    assert told["problems"] == []
    assert told["choices of ann"][1] == "undo"
    assert told["choices of ann"][3] == "skip"
    assert (len(told["choices of ann"]), told["lines of bo"], told["annotated"]) == (8, 1, 6)
