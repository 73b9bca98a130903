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
AS_THEY_ARE = {"docs/results/plan.md", "docs/statistics.md"}
"""A plan that was fixed before it was run, and simulations below their commands: this set may only shrink."""
EVERYWHERE = {"95%", "5 points"}
"""The level of intervals, and the smallest effect of interest."""
NO_MEASUREMENT = {
    "docs/gallery.md": {"-1.5", "-4.5"},  # rewards of answers, which a test replays
    "docs/generalpoints.md": {"(2 to 6)"},  # a range of cards
    "docs/wording.md": {"1 of 5", "-0.1", "-1.5"},  # a line of a prompt, and prices
    "docs/gpu.md": {"2.03", "5.23"},  # bytes of a weight by its format, and a version
    "docs/in_your_library.md": {"50 %"},  # an example of an answer
    "docs/preferences.md": {"60 seconds"},  # a limit
    "docs/methods.md": {"0.1", "0.5"},  # values of beta
    "docs/language_models.md": {"5.11", "2026.6"},  # versions
    "docs/paper.md": {"-1.5", "22.5", "67.5", "2 of 3", "3 of 3"},  # a price, angles, routes walked by hand
    "docs/questions.md": {"11.5%", "27 of 234", "15.0%", "3.4%"},  # published in arXiv 2501.17161, with exact intervals
    "docs/results/gpu/README.md": {"8 minutes"},  # a limit
    "docs/results/smollm2-words/README.md": {"1 of 2", "11.5%"},  # cores, and the paper's start
    "docs/results/virl-words/README.md": {"20%"},  # shares below which an interval is too narrow
}
"""Page by page what looks like a measured number of ours and is a setting, a rule or another's."""


@pytest.mark.parametrize("page", PAGES)
def test_every_marked_number_is_what_the_json_says_today(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert numbers.filled(text) == text, "python tools/build_numbers.py writes it"
    assert not re.search(r"^ *<!--=", text, re.MULTILINE), "a line that begins with a comment ends the paragraph"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in REPORTS | AS_THEY_ARE])
def test_no_measured_number_is_typed_by_hand(page: str) -> None:
    found = set(numbers.typed((ROOT / page).read_text("utf-8"))) - EVERYWHERE
    assert found == NO_MEASUREMENT.get(page, set())


@pytest.mark.parametrize("page", PAGES)
def test_what_was_seen_and_not_kept_tells_its_command(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    commands = numbers.SEEN.findall(text)
    assert len(commands) == text.count("Seen, not kept")
    assert all(re.match(r"(PYTHONPATH=src )?(python|verienv|make) ", command) for command in commands)


def test_what_is_looked_for_is_found() -> None:
    text = "<!--= a b -->+1.1 (+0.5 to +1.7)<!--=--> is no more than +2.3 points (1.0 to 3.5), 44.8%\n```\n7%\n```\n"
    assert numbers.typed(text) == ["+2.3 points", "(1.0 to 3.5)", "44.8%"]
    text = "57 of 79 in 12 min, 5 percent of `3%`; versions 2.13.0\n\n| PPO 2.9.2, lr=0.5 | -1.9 | 4.0 / 5.5 |\n"
    assert numbers.typed(text) == ["57 of 79", "12 min", "5 percent", "-1.9", "4.0", "5.5"]


def test_what_was_seen_ends_with_its_paragraph_or_item_and_the_table_below() -> None:
    text = "- **Seen, not kept** (`make it`, twice): 1% and\n  2%.\n- 3%\n\n"
    text += "**Seen, not kept** (`make that`):\n4%\n\n| 5% |\n| 6% |\n\n| 7% |\n"
    assert numbers.SEEN.findall(text) == ["make it", "make that"]
    assert numbers.typed(text) == ["3%", "7%"]


def test_a_path_leads_to_a_number_a_mean_or_a_sum() -> None:
    found = {"a": [{"b": [1.0, 0.5, 2.0]}, {"b": 3}]}
    assert numbers.reached(found, ["a", "-1", "b"]) == 3
    assert numbers.reached(found, ["a", "*", "b"]) == 2
    assert numbers.reached(found, ["a", "sum", "b"]) == 4
    assert numbers.FORMS["change"]([0.0, -0.25, 0.5]) == "+0.0 (-25.0 to +50.0)"


def test_printed_tables_are_read() -> None:
    found = numbers.data("routes-middle")["unseen cities, absolute"]
    assert found["per step"] == [20.0, 11.1, 27.3]
    assert found["illegal action"] == [3.0]


def test_the_finding_of_the_front_page_has_marks_for_all_it_measures() -> None:
    finding = (ROOT / "README.md").read_text().partition("## What was found")[2].partition("\n## ")[0]
    assert len(numbers.MARKED.findall(finding)) >= 10
    assert not re.findall(r"(?<![\w.])[+-]?\d+\.\d+(?! million)", numbers.MARKED.sub("", finding))
    assert finding.count("in this setting") + finding.count("In this setting") == 2


@pytest.mark.parametrize("name", numbers.made_by())
def test_every_source_tells_its_file_command_commit_and_hardware(name: str) -> None:
    told = numbers.made_by()[name]
    assert re.match(r"(PYTHONPATH=src )?(python|verienv) ", told["command"])
    assert "CPU" in told["hardware"] or "GPU" in told["hardware"]
    assert re.match(r"`[0-9a-f]{12}`", numbers.drawn(f"{name} commit"))
    tracked = subprocess.run(["git", "ls-files", "docs/results"], cwd=ROOT, capture_output=True, text=True).stdout
    assert not tracked or f"docs/results/{told['file']}" in tracked.split()


def test_a_mark_that_names_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"words best: no number is named so"):
        numbers.drawn("words best")
