import json

from verienv.browsing.runs import MOST_POINTS, TrainingRun, differing


def run(folder, lines, **arguments):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"arguments": arguments}))
    (folder / "log.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return TrainingRun.read(folder, folder.name)


def test_each_number_of_a_run_is_a_curve(collection):
    [found] = collection.runs
    assert found.curves["loss"] == [(update, 1 / update) for update in range(1, 6)]
    assert found.curves["fields/formula"] == [(update, 0.5) for update in range(1, 6)]
    assert (found.updates, found.every, found.arguments) == (5, 1, {"seed": "3", "model": "tiny-lm"})


def test_a_long_run_is_thinned_out_and_keeps_its_end(tmp_path):
    found = run(tmp_path / "long", [json.dumps({"update": update, "loss": update}) for update in range(1, 1002)])
    assert found.every == 3
    assert len(found.curves["loss"]) <= MOST_POINTS
    assert found.curves["loss"][-1] == (1001, 1001.0)


def test_what_is_no_number_or_no_line_is_left_out_and_told(tmp_path):
    lines = ['{"update": 1, "loss": "x", "kl": NaN, "ok": 1}', "[]", '{"update": 2, "ok": 1e999, "big": true}']
    found = run(tmp_path / "odd", lines)
    assert found.curves["ok"] == [(1, 1.0)]
    assert set(found.curves) <= {"ok", "big"}
    assert found.faults == ["line 2: expected a JSON object with the number of an update"]


def test_arguments_that_differ_between_runs_are_named(tmp_path):
    one, other = (run(tmp_path / str(rate), [], rate=rate, seed=0) for rate in (0.1, 0.2))
    assert differing([one, other]) == ["rate"]
