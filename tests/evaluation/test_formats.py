"""Saved tables: CSV that csv reads back, and LaTeX that escapes what is special."""

import csv
import io
from math import nan

import pytest
from tests.evaluation.policies import ENV, nonsense

from verienv.evaluation import Evaluation, evaluate
from verienv.evaluation.formats import csv_table, latex_table, latex_text


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_is_read_back_by_csv_and_unknown_numbers_are_empty():
    text = csv_table(["cell", "mean"], [['a "quoted", cell\nof two lines', nan], ["b", 0.1]])
    assert read(text) == [{"cell": 'a "quoted", cell\nof two lines', "mean": ""}, {"cell": "b", "mean": "0.1"}]


@pytest.mark.parametrize("env_id", [ENV, "verienv/GeneralPoints-VL-v0", "verienv/VIRL-L-v0"])
def test_csv_has_every_metric_of_every_cell_with_its_interval(env_id):
    result = evaluate("constant", env_id, ["train", "test"], episodes=6)
    lines = {(line["cell"], line["metric"]): line for line in read(result.to_csv())}
    for name, cell in result.cells.items():
        parts = dict(cell.recognition) if cell.recognition else {}
        for metric, estimate in (cell.metrics | parts).items():
            line = lines.pop((name, metric))
            found = tuple(float(line[column] or "nan") for column in ("mean", "low", "high"))
            assert found == pytest.approx(tuple(estimate), nan_ok=True)
            assert (line["episodes"], line["clusters"]) == (str(cell.episodes), str(cell.clusters))
        for kind, number in cell.failures.items():
            assert float(lines.pop((name, f"failed_{kind}"))["mean"]) * cell.episodes == pytest.approx(number)
    assert not lines


def test_latex_escapes_what_is_special():
    assert latex_text("a_b & 50% #1 {x} $~^\\") == (
        r"a\_b \& 50\% \#1 \{x\} \$\textasciitilde{}\textasciicircum{}\textbackslash{}"
    )
    assert latex_text("42.0 (35.1..49.2)\n") == "42.0 [35.1, 49.2]"
    assert latex_text("-3.0 (-7.1..1.1)") == "$-$3.0 [$-$7.1, 1.1]"
    assert latex_text("? (?), 11-12-13") == "? (?), 11-12-13"


def test_a_latex_table_has_booktabs_rules_and_as_many_columns_as_the_head():
    lines = latex_table(["cell", "a", "b"], [["x&y", "1", "2"], ["z", "3", "4"]]).splitlines()
    assert lines[:2] == [r"\begin{tabular}{lrr}", r"\toprule"]
    assert lines[2:6] == [r"cell & a & b \\", r"\midrule", r"x\&y & 1 & 2 \\", r"z & 3 & 4 \\"]
    assert lines[6:] == [r"\bottomrule", r"\end{tabular}"]


def test_no_name_gets_out_of_a_comment_or_a_cell_of_the_latex():
    name = "a%\n\\input{secret} & b\\\\"
    text = evaluate(nonsense, ENV, {name: {}}, episodes=2, name=name).to_latex()
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 2
    for line in text.splitlines():
        assert line.startswith("%") or "\\input{" not in line
    heads = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert {line.replace(r"\&", "").count("&") for line in heads[:2]} == {6}


def test_save_goes_by_the_ending_and_refuses_others(tmp_path):
    result = evaluate(nonsense, ENV, ["train"], episodes=2)
    for name, text in (("r.csv", result.to_csv()), ("r.tex", result.to_latex()), ("r.md", result.markdown())):
        result.save(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").rstrip("\n") == text.rstrip("\n")
        with pytest.raises(ValueError, match="is no saved evaluation"):
            Evaluation.load(tmp_path / name)
    with pytest.raises(ValueError, match=r"r\.xlsx: give a name that ends in \.json, \.md, \.csv, \.tex"):
        result.save(tmp_path / "r.xlsx")
    assert not (tmp_path / "r.xlsx").exists()
