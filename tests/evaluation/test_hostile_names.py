"""Names of cells and policies are whatever a log says: in every table they are text, and nothing else."""

import pytest

from verienv.core.shown import printable
from verienv.evaluation import PolicyTable, compare, evaluate
from verienv.evaluation.formats import latex_table, latex_text
from verienv.evaluation.tables import markdown_text

ENV = "verienv/GeneralPoints-L-v0"
NAME = '<img src=x>[a](b)![c](d)`e`\\<f>|\x1b[2J\u202e"end'


@pytest.fixture(scope="module")
def played():
    before, after = (
        evaluate(who, ENV, {NAME: {"split": "train"}}, 2, name=f"{who} {NAME}") for who in ("constant", "expert")
    )
    return before, after


def test_no_table_steers_a_terminal(played):
    table = PolicyTable.of({NAME: played[0], "b": played[1]})
    shown = [
        str(played[0]),
        str(compare(*played)),
        str(table),
        played[0].to_latex(),
        table.to_latex(),
        table.markdown(),
    ]
    for text in shown:
        assert text == printable(text)
        assert "\\x1b" in text


def test_no_markdown_makes_html_links_or_pictures_of_a_name(played):
    table = PolicyTable.of({NAME: played[0], "b": played[1]})
    for text in (played[0].markdown(), compare(*played).markdown(), table.markdown()):
        for mark in ("<", "[", "`"):
            assert text.count(mark) == text.count(f"\\{mark}") > 0
        assert len({line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")}) <= 2


def test_a_backslash_of_a_name_takes_no_other_ones_meaning():
    assert markdown_text("\\<b>") == "\\\\\\<b>"


def test_a_row_is_no_option_of_the_rule_before_it():
    told = latex_table(["cell"], [["[1ex] a"], ["*b"], ["c [d]"]]).splitlines()
    assert told[4:7] == ["{}[1ex] a \\\\", "{}*b \\\\", "c [d] \\\\"]


def test_latex_knows_every_command_in_its_oldest_font_encoding():
    assert latex_text('"\x1b\\') == r"\char34{}\textbackslash{}x1b\textbackslash{}"


def test_evaluations_without_a_common_cell_are_told_apart_in_one_line():
    one, other = (evaluate("expert", ENV, {cell: {"split": "train"}}, 1) for cell in ("a" * 5000, "b\n"))
    with pytest.raises(
        ValueError, match=r"^x and y: the evaluations share no cell \(b / a{50,}\.\.\.\); evaluate"
    ) as told:
        PolicyTable.of({"y": other, "x": one})
    assert len(str(told.value)) < 500
