"""Evaluations of free walks: the measures of the field, with intervals over routes, and where nobody walks none."""

import json

import numpy as np
import pytest

import verienv
from verienv.evaluation import PolicyTable, compare, evaluate

ENV = "verienv/VIRL-L-v0"
CELLS = {"walk": {"mode": "walk"}, "rail": {"mode": "rail"}}
OF_WALKS = ("success_in_block", "spl", "ndtw", "sdtw", "cls", "oracle_success", "turns_right", "navigation_error")


def ahead(dialogues):
    return ['{"action": "forward()"}' for _ in dialogues]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    log = tmp_path_factory.mktemp("logs") / "ahead.jsonl"
    settings = {"episodes": 6, "turns": 1, "answer_format": "tags"}
    return {
        "expert": evaluate("expert", ENV, CELLS, **settings),
        "ahead": evaluate(ahead, ENV, {"walk": CELLS["walk"]}, episodes=6, turns=1, log=log),
    }


def test_the_measures_of_walks_are_estimated_over_routes(runs):
    expert, other = runs["expert"].cells["walk"].metrics, runs["ahead"].cells["walk"].metrics
    assert {*OF_WALKS} <= {*expert} & {*other}
    assert [expert[name].mean for name in OF_WALKS[:-1]] == pytest.approx([1.0] * 7)
    assert expert["navigation_error"].mean == 0
    assert np.isnan(expert["navigation_error"].low)  # no share: that all were 0 tells nothing of the next
    error, errors = other["navigation_error"], [one.outcomes["navigation_error"] for one in runs["ahead"].episodes]
    assert error.mean == pytest.approx(np.mean(errors))
    assert error.low < error.mean < error.high
    assert other["spl"].mean == 0 < other["spl"].high < 1


def test_where_nobody_walks_nothing_of_it_is_measured_nor_said_to_lack(runs):
    rail = runs["expert"].cells["rail"].metrics
    assert not {*OF_WALKS} & {*rail}
    assert "SPL" not in runs["expert"].markdown().split("\n\n")[1]
    alone = evaluate("expert", ENV, {"rail": CELLS["rail"]}, episodes=1, turns=1)
    assert "SPL" not in alone.markdown()
    assert alone.setup.units == {}


def test_tables_show_shares_in_percent_and_the_error_in_metres(runs):
    head, _, row = next(part for part in runs["ahead"].markdown().split("\n\n") if "SPL" in part).splitlines()
    cells = dict(zip(*([cell.strip() for cell in line.split("|")] for line in (head, row)), strict=True))
    mean = runs["ahead"].cells["walk"].metrics["navigation_error"].mean
    assert cells["error, m"].startswith(f"{mean:.1f} (")
    assert cells["nDTW"] == "{:.1f} ({:.1f}..{:.1f})".format(
        *(100 * each for each in runs["ahead"].cells["walk"].metrics["ndtw"])
    )


def test_walks_are_compared_pair_by_pair_in_metres_too(runs):
    found = compare(runs["expert"], evaluate(ahead, ENV, {"walk": CELLS["walk"]}, episodes=6, turns=1))
    difference = found.cells["walk"].metrics["navigation_error"]
    assert difference.mean == pytest.approx(runs["ahead"].cells["walk"].metrics["navigation_error"].mean)
    assert f"+{difference.mean:.1f} (" in found.markdown()
    assert "SPL" not in found.note


def test_a_table_of_policies_names_the_unit(runs):
    walks = {name: run for name, run in runs.items() if name == "ahead"}
    table = PolicyTable.of(walks, ("navigation_error", "spl")).markdown()
    assert "m with 95% intervals" in table
    assert "percent with 95% intervals" in table


def test_a_log_and_a_saved_evaluation_hold_the_measures(runs, tmp_path):
    path = tmp_path / "ahead.json"
    runs["ahead"].save(path)
    assert type(runs["ahead"]).load(path) == runs["ahead"]
    assert json.loads(path.read_text())["setup"]["units"]["navigation_error"] == "m"


def test_an_episode_s_score_has_the_measures_of_its_walk():
    row = verienv.rows(ENV, n=1, mode="walk")[0]
    episode = verienv.Episode.of(row)
    episode.answer('{"action": "stop()"}')
    assert {*OF_WALKS} <= {*episode.score()}
    assert episode.score()["spl"] == 0.0
