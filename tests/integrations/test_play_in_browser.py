"""Hands and a route played in a real browser: Debian's chromium, driven by playwright."""

from pathlib import Path
from shutil import which

import pytest
from tests.integrations.conftest import InLibrary

pytestmark = pytest.mark.integrations


def test_a_session_survives_a_kill_and_its_log_is_compared_and_viewed(in_library: InLibrary, tmp_path: Path) -> None:
    chromium = which("chromium")
    if chromium is None:
        pytest.skip("needs a browser: apt-get install chromium")
    told = in_library("browser", "play_in_browser.py", chromium, tmp_path / "play")
    assert told["lines before a person is there"] == 1
    assert told["picture"]
    assert told["lines when the feedback shows"] == told["lines after the kill"] == 2
    assert told["after the kill"] == "train, episode 1. Attempt 2 of 3."
    assert "solution" in told["solution"]
    assert told["scores"].startswith("train: 1 of 2 solved")
    assert told["policy"] == "human: script"
    assert told["difference to the expert"] == -0.5
    assert told["inside the page"]
    assert (told["map while one plays"], told["map at the end"]) == (0, True)
    assert told["lines of the route"] == told["steps"] > 5
    assert {"forward()", "stop()"} < {*told["responses"]}
    assert len(told["policies"]) == 3
    assert told["problems"] == []
