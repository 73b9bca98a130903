"""The site is built, warnings as errors, and opened in a real browser: Debian's chromium, driven by playwright."""

from pathlib import Path
from shutil import which

import pytest
from tests.integrations.conftest import InLibrary

pytestmark = pytest.mark.integrations


def test_the_site_fetches_nothing_has_no_broken_link_and_no_serious_finding_of_axe(
    in_library: InLibrary, tmp_path: Path
) -> None:
    chromium = which("chromium")
    if chromium is None:
        pytest.skip("needs a browser: apt-get install chromium")
    told = in_library("site", "site_in_browser.py", chromium, tmp_path)
    assert told["pages"] > 50
    assert told["opened"] == told["kinds"] * 4
    assert told["broken"] == []
    assert told["problems"] == []
    assert told["elsewhere"] == []
    assert told["wider than the page"] == []
    assert told["serious"] == []
    assert told["without words"] == []
    assert "Unit-test" in told["found"] or "check_verifier" in told["found"]
