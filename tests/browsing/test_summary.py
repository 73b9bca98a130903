import pytest

from verienv.evaluation import Evaluation


def test_success_by_cell_is_that_of_the_evaluation(collection, logs):
    saved = Evaluation.load(logs / "saved/results.json")
    number = [source.found.name for source in collection.sources].index("wrong.jsonl")
    told = {line["cell"]: line for line in collection.overview["success"] if line["source"] == number}
    for cell, result in saved.cells.items():
        assert told[cell]["success"] == pytest.approx(list(result.metrics["success"]))
        assert (told[cell]["episodes"], told[cell]["clusters"]) == (result.episodes, result.clusters)
        assert told[cell]["reward"] == pytest.approx(result.metrics["reward"].mean)
        assert told[cell]["misread"] is None


def test_failures_are_counted_by_kind_and_cell(collection):
    [group] = collection.overview["failed"]
    assert group["episodes"] == 16
    assert [line["episodes"] for line in group["cells"]] == [4] * 4
