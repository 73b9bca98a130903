import pytest

import verienv
from verienv.browsing.collection import Collection
from verienv.browsing.finding import find
from verienv.evaluation import Evaluation

ENV = "verienv/GeneralPoints-L-v0"


def numbers(collection):
    names = [source.found.name for source in collection.sources]
    return names.index("wrong.jsonl"), names.index("expert.jsonl")


def test_the_difference_is_that_of_compare(collection, logs):
    wrong = Evaluation.load(logs / "saved/results.json")
    expert = verienv.evaluate("expert", ENV, ("train", "test"), episodes=4, attempts=2, progress=False)
    due = verienv.compare(wrong, expert)
    told = collection.comparison(*numbers(collection))
    assert told["alone"] == [0, 0]
    for line in told["cells"]:
        assert line["difference"] == pytest.approx(list(due.cells[line["cell"]].metrics["success"]))
        assert (line["pairs"], line["clusters"]) == (4, due.cells[line["cell"]].clusters)
        assert [line[change] for change in ("gained", "lost", "both", "neither")] == [4, 0, 0, 0]


def test_pairs_are_of_one_problem_and_filtered_by_their_change(collection):
    before, after = numbers(collection)
    pairs, table = collection.pairs(before, after), collection.table
    assert [table.instance[row] for row in pairs.before] == [table.instance[row] for row in pairs.after]
    assert len(pairs.matching("gained")) == 8
    assert len(pairs.matching("lost")) == 0
    assert len(pairs.matching("gained", table.cells.index("test"), table)) == 4
    with pytest.raises(ValueError, match="change='won': expected gained, lost, both, neither"):
        pairs.matching("won")


def test_episodes_without_a_partner_and_other_conditions_are_told(logs, tmp_path):
    how = {"episodes": 2, "seed": 0, "progress": False, "log": tmp_path / "few.jsonl"}
    verienv.evaluate("expert", ENV, ("train",), rule="rank", attempts=2, **how)
    collection = Collection.read(find([logs / "expert.jsonl", tmp_path / "few.jsonl"]))
    told = collection.comparison(0, 1)
    assert sum(line["pairs"] for line in told["cells"]) + told["alone"][0] == 8
    assert any("train: rule the default / 'rank'" in words for words in told["differences"])


def test_an_evaluation_is_not_compared_with_itself_or_with_none(collection):
    with pytest.raises(ValueError, match="choose two different evaluations"):
        collection.pairs(0, 0)
    with pytest.raises(ValueError, match="source=9: there are 3, from 0"):
        collection.pairs(0, 9)
