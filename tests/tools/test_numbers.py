"""Measured numbers in README and on the site are drawn from committed JSON, and none is typed by hand."""

import re
import subprocess
from pathlib import Path

import pytest

from website import numbers, pages

ROOT = Path(__file__).parents[2]
LISTED = [page for each in pages.sections((ROOT / "docs/site.toml").read_text()) for page in each.pages]
PAGES = ["README.md", *(page for page in LISTED if page.startswith("docs/"))]
REPORTS = {page for page in PAGES if re.search(r"results/\w[\w-]*/report", page)}
"""Pages that study.py, methods.py and build_benchmark.py write from the JSON beside them."""
OTHERS = {"docs/results/plan.md", "docs/questions.md", "docs/statistics.md", "docs/gpu.md"}
"""Pages whose numbers are planned, published by others, simulated by a test, or limits of a check."""
BY_HAND = {
    "docs/results/methods/README.md",
    "docs/results/smollm2-words/README.md",
    "docs/results/virl-words/README.md",
    "docs/results/virl-by-sight/README.md",
    "docs/results/numeric/generalpoints-tokens.md",
    "docs/results/numeric/virl-discrete.md",
}
"""Pages of older results whose numbers are still typed: this set may only shrink."""
NO_MEASUREMENT = {"95%", "5 points", "(2 to 6)", "50 %"}
"""The level of intervals, the smallest effect of interest, a range of cards, an example of an answer."""


@pytest.mark.parametrize("page", PAGES)
def test_every_marked_number_is_what_the_json_says_today(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert numbers.filled(text) == text, "python tools/build_numbers.py writes it"
    assert not re.search(r"^ *<!--=", text, re.MULTILINE), "a line that begins with a comment ends the paragraph"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in REPORTS | OTHERS | BY_HAND])
def test_no_measured_number_is_typed_by_hand(page: str) -> None:
    assert set(numbers.typed((ROOT / page).read_text("utf-8"))) <= NO_MEASUREMENT


def test_what_is_looked_for_is_found() -> None:
    text = "<!--= a b -->+1.1 (+0.5 to +1.7)<!--=--> is no more than +2.3 points (1.0 to 3.5), 44.8%\n```\n7%\n```\n"
    assert numbers.typed(text) == ["+2.3 points", "(1.0 to 3.5)", "44.8%"]


def test_the_finding_of_the_front_page_has_marks_for_all_it_measures() -> None:
    finding = (ROOT / "README.md").read_text().partition("## What was found")[2].partition("\n## ")[0]
    assert len(numbers.MARKED.findall(finding)) >= 10
    assert not re.findall(r"(?<![\w.])[+-]?\d+\.\d+(?! million)", numbers.MARKED.sub("", finding))
    assert finding.count("in this setting") + finding.count("In this setting") == 2


@pytest.mark.parametrize("name", numbers.made_by())
def test_every_source_tells_its_file_command_commit_and_hardware(name: str) -> None:
    told = numbers.made_by()[name]
    assert "python" in told["command"]
    assert "CPU" in told["hardware"] or "GPU" in told["hardware"]
    assert re.match(r"`[0-9a-f]{12}`", numbers.drawn(f"{name} commit"))
    tracked = subprocess.run(["git", "ls-files", "docs/results"], cwd=ROOT, capture_output=True, text=True).stdout
    assert not tracked or f"docs/results/{told['file']}" in tracked.split()


def test_a_mark_that_names_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"words best: no number is named so"):
        numbers.drawn("words best")
