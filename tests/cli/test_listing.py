import re

from verienv.core import tasks
from verienv.generalpoints import VISUALS, GeneralPointsVisionConfig
from verienv.virl import VIRLConfig


def test_envs_lists_ids_splits_and_settings_within_the_width(cli):
    status, out, _ = cli("envs")
    assert status == 0
    ids = [env_id for task in tasks.every() for env_id in (*task.environments, *task.numeric)]
    assert len(ids) >= 8
    for word in (*ids, "train, test, rule_ood", "face_cards=condition", "stated_rule", "1 to 64"):
        assert word in out
    assert max(map(len, out.splitlines())) <= 100


def test_envs_lists_settings_and_visuals_of_the_task_in_80_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = cli("envs")
    assert max(map(len, out.splitlines())) <= 80
    of_cards = out.partition("split of verienv/VIRL-L-v0")[0]
    for name in GeneralPointsVisionConfig.model_fields:
        assert len(re.findall(rf"^{name}  +\S", of_cards, re.MULTILINE)) == 1
    for name in VIRLConfig.model_fields:
        assert re.search(rf"^{name}  +\S", out.removeprefix(of_cards), re.MULTILINE)
    visuals = out.partition("visual=  ")[2]
    for name in VISUALS:
        assert re.search(rf"^{name}  +\S", visuals, re.MULTILINE)
    assert re.search(r"^lamplight +background=wood, light=0.6", visuals, re.MULTILINE)
    assert re.search(r"^rotation +0.0 +each card is turned", out, re.MULTILINE)


def test_envs_lists_the_cells_that_evaluate_knows(cli):
    _, out, _ = cli("envs")
    for task in tasks.every():
        for name in task.tables:
            assert re.search(rf"^{name} +{task.title} +\w", out, re.MULTILINE)
