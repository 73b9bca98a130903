"""Evaluations browsed in a real browser, served and as one file: Debian's chromium, driven by playwright."""

from pathlib import Path
from shutil import which

import pytest
from tests.integrations.conftest import InLibrary

pytestmark = pytest.mark.integrations

HTML = "<img src=x onerror=\"document.title='hacked'\"></script><script>document.title='hacked'</script>"
PARTS = ("episodes", "success", "failures", "side", "training")


def test_evaluations_are_filtered_compared_and_replayed_served_and_exported(
    in_library: InLibrary, tmp_path: Path
) -> None:
    chromium = which("chromium")
    if chromium is None:
        pytest.skip("needs a browser: apt-get install chromium")
    told = in_library("browser", "view_in_browser.py", chromium, tmp_path / "logs")
    for one in (told["served"], told["exported"]):
        assert one["address"] == "#/episodes?cell=test&state=failed&text=LET+US+see"
        assert one["response"] == HTML
        assert one["images in the replay"] == "0"
        assert [cell[:8] for cell in one["cells"]] == ["train30 ", "test30 ("]
        assert all("+100.0 (+" in cell for cell in one["cells"])
    assert told["charts"] == ["loss", HTML.replace("_", " ")]
    assert all(told[f"inside the page: {part}"] for part in PARTS)
    assert told["titles"] == ["verienv view"] * 2
    assert told["exported"]["title"] == "verienv view"
    assert told["problems"] == told["problems of the file"] == []
    print(f"{told['lines']:,} lines of 100,000 episodes open in {told['seconds']:.2f} s", end=" ")
    print(f"({told['seconds of the processor']:.2f} s of one core), a filter in {told['seconds of a filter']:.2f} s")
    assert told["seconds"] < 3
