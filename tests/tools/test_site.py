"""Pages of the site: the list of them, links that lead somewhere, and what is made of docstrings and vectors."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from verienv.generalpoints import load_vectors
from website import contract, environments, pages
from website.docstrings import as_rst

ROOT = Path(__file__).parents[2]
LISTED = [page for each in pages.sections((ROOT / "docs/site.toml").read_text()) for page in each.pages]


def test_every_page_of_the_documents_is_on_the_site_once() -> None:
    """A new page is one line in docs/site.toml."""
    there = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md") if path.parent.name[:3] != "gp-"
    }
    assert there == {page for page in LISTED if page.startswith("docs/")}
    assert len(LISTED) == len(set(LISTED))


@pytest.mark.parametrize("page", [page for page in ("README.md", *LISTED) if not page.startswith(pages.MADE)])
def test_every_link_leads_somewhere(page: str) -> None:
    files = list[str]()
    text = pages.Site(ROOT, ("README.md", *LISTED), files.append).text(page)
    assert text.startswith("# ")
    assert all((ROOT / file).is_file() for file in files)


def site(folder: Path, **texts: str) -> pages.Site:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return pages.Site(folder, ("docs/one.md", "docs/two.md", "GUIDE.md#part", "GUIDE.md"), list[str]().append)


GUIDE = (
    "# Guide\n\n[up](#last)\n\n## Part\n\n[there](docs/two.md#deep)\n\n"
    "```sh\n# no heading [x](y)\n```\n\n### More\n\n## Last\n"
)


def test_a_section_is_a_page_of_its_own_and_leaves_a_link_behind(tmp_path: Path) -> None:
    made = site(tmp_path, GUIDE_md=GUIDE, docs__two_md="# Two\n")
    part = made.text("GUIDE.md#part")
    assert part == "# Part\n\n[there](two.md#deep)\n\n```sh\n# no heading [x](y)\n```\n\n## More\n"
    rest = made.text("GUIDE.md")
    assert "[A page of its own](part.md)" in rest
    assert "### More" not in rest
    assert "[up](#last)" in rest


def test_a_link_goes_to_a_page_of_the_site_to_a_file_beside_it_or_says_the_path(tmp_path: Path) -> None:
    text = "# One\n\n[two](two.md#a) [part](../GUIDE.md#part) [file](../code.py) [`src`](../src) [the code](../src) [out](https://x.org)\n"
    made = site(tmp_path, docs__one_md=text, docs__two_md="", GUIDE_md=GUIDE)
    (tmp_path / "code.py").write_text("")
    (tmp_path / "src").mkdir()
    said = made.text("docs/one.md").split("\n\n")[1].strip()
    assert said == (
        "[two](two.md#a) [part](part.md) [file](path:files/code.py) `src` the code (`src`) [out](https://x.org)"
    )


def test_a_link_that_leads_nowhere_is_an_error_that_names_it(tmp_path: Path) -> None:
    made = site(tmp_path, docs__one_md="# One\n\n[x](gone.md)\n")
    with pytest.raises(ValueError, match=r"docs/one\.md: the link to gone\.md leads to docs/gone\.md, which is not"):
        made.text("docs/one.md")


def test_a_page_of_an_environment_has_its_docstring_its_question_and_a_meaning_for_every_setting() -> None:
    found = {each.env_id: each for each in environments.environments()}
    assert len(found) == 8
    page = environments.page(found["verienv/GeneralPoints-L-v0"], lambda image: "")
    assert all(f"\n## {part}\n" in page for part in ("Description", "Rewards", "Splits", "Version History"))
    assert "Attempt 1 of 5." in page
    assert "It pays 5." in page
    for each in found.values():
        told = environments.attributes(each.settings)
        assert set(each.settings.model_fields) <= set(told), set(each.settings.model_fields) - set(told)


def test_a_contract_judges_every_vector_and_stops_at_one_that_is_judged_otherwise() -> None:
    few = load_vectors()[:40]
    shown = replace(contract.CONTRACTS[0], cases=lambda: few)
    assert sum(map(int, re.findall(r"\| (\d+) \|$", contract.page(shown), re.MULTILINE))) == 40
    wrong = replace(few[0], failure="wrong_value")
    with pytest.raises(ValueError, match=r"spelling 001: .* is not what is owed"):
        contract.page(replace(shown, cases=lambda: [wrong]))


@pytest.mark.parametrize(
    "text", ["a|b", "``", "`", "<script>", "a``b`", "\\|", "x" * 500, "\u200b\x00\ud800", "", " \n"]
)
def test_a_response_is_shown_as_code_whatever_it_holds(text: str) -> None:
    said = contract.code(text)
    assert said.isprintable()
    assert len(said) < 160
    ticks = re.match("`*", said)
    assert ticks
    if ticks[0]:
        inner = said[len(ticks[0]) : -len(ticks[0])]
        assert len(ticks[0]) not in {len(run) for run in re.findall("`+", inner)}
        assert not re.search(r"(?<!\\)\|", inner)


def test_code_within_a_docstring_is_code_and_prose_is_not() -> None:
    said = as_rst(["Head.", "", "from a import b", "b(1)  # so", "", 'Prose, with "+-*/" and ``a*b``.', ""])
    assert ".. code-block:: python" in said
    assert "    b(1)  # so" in said
    assert 'Prose, with "+-\\*/" and ``a*b``.' in said
    assert as_rst(["Head.", "", "## Part", "", "| a |"], "See there.") == ["Head.", "", "See there.", ""]


def test_the_list_of_pages_is_toml_with_a_title_for_each_section() -> None:
    assert all(
        each.keys() == {"title", "pages"} for each in tomllib.loads((ROOT / "docs/site.toml").read_text())["section"]
    )
