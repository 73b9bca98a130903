"""Policies side by side: what is compared, the paired differences, and the tables of several formats."""

import csv
import io
import sys

import pytest
from tests.evaluation.policies import ENV, is_solved_by_hash, nonsense

from verienv.evaluation import PolicyTable, compare, evaluate
from verienv.evaluation.tables import percent

CELLS = ("train", "test")


@pytest.fixture(scope="module")
def played():
    return {
        "poor": evaluate(nonsense, ENV, CELLS, 12, name="says nothing"),
        "fair": evaluate(is_solved_by_hash, ENV, CELLS, 12),
        "expert": evaluate("expert", ENV, CELLS, 12),
    }


def test_each_policy_is_a_column_beside_its_paired_differences_to_the_first(played):
    about, table = PolicyTable.of(played).markdown().split("\n\n")
    head, _, train, test = ([part.strip() for part in line.strip("|").split("|")] for line in table.splitlines())
    assert head == ["cell", "episodes (clusters)", *played, "fair - poor", "expert - poor"]
    for row, cell in ((train, "train"), (test, "test")):
        assert row[2:5] == [percent(one.cells[cell].metrics["success"]) for one in played.values()]
        difference = compare(played["poor"], played["expert"]).cells[cell].metrics["success"]
        assert row[-1] == percent(difference, signed=True)
    assert about.startswith(f"Success in {ENV}, seed 0")
    assert "poor: says nothing; fair; expert." in about


def test_tables_for_programs_hold_every_metric_and_every_difference(played):
    lines = list(csv.DictReader(io.StringIO(PolicyTable.of(played).to_csv())))
    found = {(line["policy"], line["minus"], line["cell"], line["metric"]): line for line in lines}
    assert len(found) == len(lines)
    for name, one in played.items():
        for metric, estimate in one.cells["test"].metrics.items():
            assert float(found[name, "", "test", metric]["mean"]) == pytest.approx(estimate.mean)
    difference = compare(played["poor"], played["fair"]).cells["test"].metrics["reward"]
    assert float(found["fair", "poor", "test", "reward"]["low"]) == pytest.approx(difference.low)


def test_frames_hold_the_lines_of_the_csv(played):
    pandas = pytest.importorskip("pandas")
    for source in (played["fair"], PolicyTable.of(played)):
        read = pandas.read_csv(io.StringIO(source.to_csv()), keep_default_na=False, na_values={"low": "", "high": ""})
        pandas.testing.assert_frame_equal(source.to_frame(), read, check_dtype=False)


def test_without_pandas_a_frame_says_what_to_install(played, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install \"verienv\[figures\]\"") as caught:
        played["fair"].to_frame()
    assert "\n" not in str(caught.value)


def test_latex_has_headings_over_the_columns_that_say_what_is_compared(played):
    text = PolicyTable.of(played, ("success", "first_success")).to_latex()
    assert text.count(r"\begin{tabular}{lrrrrrr}") == 2
    assert r"&  & \multicolumn{3}{c}{success: percent, 95\% interval} & \multicolumn{2}{c}{paired difference" in text
    assert r"\cmidrule(lr){3-5} \cmidrule(lr){6-7}" in text
    for line in text.splitlines():
        assert line.startswith(("%", "\\", " &")) or line.endswith(r"\\") or not line


def test_policies_of_several_environments_have_a_table_each(played):
    routes = evaluate("expert", "verienv/VIRL-L-v0", ["train"], 2)
    tables = PolicyTable.of({**played, "walker": routes}, ("success", "first_success")).markdown().split("\n\n")
    assert [about.split(",")[0] for about in tables[::2]] == [
        f"Success in {ENV}", f"1st attempt in {ENV}", "Success in verienv/VIRL-L-v0",
    ]  # fmt: skip
    assert "walker -" not in tables[-1]


def test_a_cell_that_one_policy_did_not_play_says_so(played):
    part = evaluate("expert", ENV, ["test"], 12)
    rows = PolicyTable.of({"fair": played["fair"], "part": part}).markdown().splitlines()
    assert [row.count("not played") for row in rows[-2:]] == [2, 0]


def test_other_settings_are_told(played):
    once = evaluate(nonsense, ENV, CELLS, 12, attempts=1)
    said = PolicyTable.of({"fair": played["fair"], "once": once}).markdown()
    assert "once was played with other settings than fair (attempts)." in said
    assert "other settings" not in PolicyTable.of(played).markdown()


def test_what_cannot_be_compared_is_refused_by_name(played):
    other = evaluate("expert", ENV, CELLS, 12, seed=1)
    with pytest.raises(ValueError, match=r"^other and fair: cells 'train' and 'train' do not hold the same instances"):
        PolicyTable.of({"fair": played["fair"], "other": other})
    with pytest.raises(ValueError, match="metric 'reward': expected one of success, first_success, "):
        PolicyTable.of(played, ("reward",))
    with pytest.raises(ValueError, match="evaluations is empty"):
        PolicyTable.of({})


def test_save_goes_by_the_ending_and_refuses_others(played, tmp_path):
    table = PolicyTable.of(played)
    for name, text in (("t.md", table.markdown()), ("t.csv", table.to_csv()), ("t.tex", table.to_latex())):
        table.save(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").strip() == text.strip()
    with pytest.raises(ValueError, match=r"t\.json: give a name that ends in \.md, \.csv, \.tex"):
        table.save(tmp_path / "t.json")
