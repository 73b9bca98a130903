import re

from tests.cli.shared import ENV, VISION

from verienv.evaluation import Evaluation
from verienv.generalpoints import RULE_BY_SIDE, VISUAL_BY_RULE


def test_evaluate_prints_a_table_and_saves_the_results(cli, tmp_path):
    out_file = tmp_path / "result.json"
    status, out, _ = cli("evaluate", ENV, "--baseline", "expert", "--episodes", "10", "--out", out_file)
    assert status == 0
    assert "policy expert" in out
    assert list(Evaluation.load(out_file).cells) == ["train", "test", "rule_ood"]
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert max(map(len, out.splitlines())) <= 100


def test_results_are_markdown_where_the_file_is_named_so(cli, tmp_path):
    cli("evaluate", ENV, "--baseline", "expert", "--episodes", "3", "--splits", "test", "--out", tmp_path / "result.md")
    assert "| test |" in (tmp_path / "result.md").read_text()


def test_rule_by_side_has_four_cells(cli):
    _, out, _ = cli("evaluate", ENV, "--baseline", "expert", "--episodes", "3", "--splits", "rule_by_side")
    assert all(f" {cell} " in out for cell in RULE_BY_SIDE)


def test_visual_by_rule_has_four_cells_with_pictures(cli):
    status, out, _ = cli("evaluate", VISION, "--baseline", "expert", "--episodes", "3", "--splits", "visual_by_rule")
    assert status == 0
    assert all(f" {cell} " in out for cell in VISUAL_BY_RULE)


def test_the_expert_is_evaluated_with_pictures(cli, tmp_path):
    file = tmp_path / "result.json"
    status, _, _ = cli("evaluate", VISION, "--baseline", "expert", "--episodes", "3", "--out", file)
    assert status == 0
    assert [cell.metrics["success"].mean for cell in Evaluation.load(file).cells.values()] == [1.0, 1.0, 1.0]


def test_evaluate_shows_differences_to_earlier_results(cli, tmp_path):
    common = ["evaluate", ENV, "--episodes", "10", "--splits", "train"]
    cli(*common, "--baseline", "constant", "--out", tmp_path / "before.json")
    _, out, _ = cli(*common, "--baseline", "expert", "--against", tmp_path / "before.json")
    assert re.search(r"after - before.*train +10 +\+[89]\d\.\d|train +10 +\+[89]\d\.\d", out, re.DOTALL)


def test_an_interrupted_evaluation_keeps_its_episodes_and_goes_on(cli, tmp_path, monkeypatch):
    asked = []

    def interrupted(dialogues):
        if len(asked) == 3:
            asked.append("interrupt")
            raise KeyboardInterrupt
        asked.append(dialogues)
        return ["no answer"] * len(dialogues)

    monkeypatch.setattr("verienv.cli.models.load", lambda model, **_: interrupted)
    command = ["evaluate", ENV, "--model", "mine", "--episodes", "4", "--batch-size", "2", "--splits", "train"]
    command += ["--setting", "attempts=2", "--out", tmp_path / "result.json"]
    status, _, err = cli(*command)
    assert status == 130
    assert "the same command goes on" in err
    before = len(asked)
    status, _, err = cli(*command)
    assert status == 0
    assert "going on with" in err
    assert len(asked) - before == 2
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
