"""What a release still needs, and what it claims; building and installing are left to make release."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = (ROOT / "CITATION.cff").read_text()


@pytest.fixture
def release(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import release

    return release


def test_a_project_without_a_home_is_refused(release):
    home = {**PROJECT, "urls": {"Homepage": "https://example.org"}}
    without = {name: value for name, value in PROJECT.items() if name != "urls"}
    changelog = "# Changelog\n\n## 0.1.0\n\n- all"
    assert release.lacking(home, "0.1.0", changelog, CITATION) == []
    [fault] = release.lacking(without, "0.1.0", changelog, CITATION)
    assert "[project.urls]" in fault


def test_a_version_that_changelog_or_citation_do_not_tell_is_refused(release):
    faults = release.lacking({"urls": {"Homepage": "https://example.org"}}, "9.9", "## Not released yet\n", CITATION)
    assert faults == [
        'CHANGELOG.md has no section "## 9.9"',
        'CHANGELOG.md still has "## Not released yet": give that section the version',
        "CITATION.cff is not of version 9.9",
    ]


def test_the_citation_is_of_this_version_and_of_these_authors(release):
    from verienv.core.version import __version__

    assert f"\nversion: {__version__}\n" in CITATION
    assert [author["name"] for author in PROJECT["authors"]] == re.findall(
        r'^  - name: "(.+)"$', CITATION, re.MULTILINE
    )


def test_the_claimed_versions_are_the_classifiers_and_none_is_below_the_lowest(release):
    claimed = release.claimed(PROJECT)
    assert claimed[0] == PROJECT["requires-python"].removeprefix(">=")
    assert claimed == sorted(claimed, key=lambda version: int(version.split(".")[1]))


def test_an_interpreter_that_is_given_is_taken_and_one_of_another_version_is_not(release, monkeypatch):
    version = ".".join(map(str, sys.version_info[:2]))
    assert release.interpreter(version, [Path("/nowhere/python"), Path(sys.executable)]) == Path(sys.executable)
    assert release.version_of("/nowhere/python") == ""


def test_the_tests_that_the_source_archive_runs_are_there(release):
    assert all((ROOT / test).exists() for test in release.TESTS)


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_the_forms_of_issues_are_whole(form):
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= read.keys()
    assert all({"type", "id", "attributes"} <= part.keys() for part in read["body"])
