"""DPO by TRL's trainer is a run like others, and learns from labels alone."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch
from tests.examples import made_pairs
from tests.examples.test_robust import same_files, untimed

import dpo
import trl_runs
from verienv.core.run_folder import RunFolder
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face import planning
from verienv.policies.hugging_face.batch import Rollout
from verienv.preferences import labelled


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return made_pairs.made(tmp_path_factory.mktemp("labelled") / "pairs")


@pytest.fixture(scope="module")
def pairs_seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled") / "pairs"
    return made_pairs.made(folder, "verienv/GeneralPoints-VL-v0", 3, image_size=96)


@pytest.fixture
def arguments(pairs, tmp_path):
    return dpo.Arguments(
        pairs=pairs, annotator="ann", out=tmp_path / "run", batch=4, micro_batch=4, updates=1, checkpoints=1, probes=2,
        warm_up=1, schedule="constant", device="cpu", log_with=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(pairs, tmp_path_factory):
    """A run of four updates, saved after each second one."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    arguments = dpo.Arguments(
        pairs=pairs, annotator="ann", out=out, batch=4, micro_batch=4, updates=4, save_every=2, probes=2, warm_up=2,
        learning_rate=1e-4, device="cpu", log_with=(),
    )  # fmt: skip
    return arguments, dpo.train(arguments)


class Cut(Exception):
    """The end of a process that is interrupted."""


def cut_after(update, script, arguments, monkeypatch):
    """Train until so many updates are logged, and the next one is trained."""
    recorded = trl_runs.Run.record

    def record(run, *given, **named):
        if run.update == update:
            raise Cut
        recorded(run, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(trl_runs.Run, "record", record)
        with pytest.raises(Cut):
            script.train(arguments)


def test_the_first_loss_is_the_logarithm_of_two(whole):
    first = whole[1].lines()[0]
    assert first["loss"] == pytest.approx(log(2), abs=1e-6)
    assert first["margin"] == 0
    assert first["gradient_norm"] > 0


@pytest.mark.parametrize("loss", ["robust", pytest.param("sigmoid_norm", marks=pytest.mark.slow)])
def test_the_first_loss_of_its_kin_is_too(loss, arguments):
    smoothing = 0.25 if loss == "robust" else 0.0
    [line] = dpo.train(replace(arguments, loss=loss, label_smoothing=smoothing)).lines()
    assert line["loss"] == pytest.approx(log(2), abs=1e-6)


@pytest.mark.slow
def test_the_first_loss_of_ipo_is_its_margin_squared(arguments):
    [line] = dpo.train(replace(arguments, loss="ipo", beta=0.5)).lines()
    assert line["loss"] == pytest.approx(1.0, abs=1e-5)


def test_the_likelihood_of_what_is_preferred_is_added_by_its_weight(arguments, policy):
    [line] = dpo.train(replace(arguments, sft_weight=0.5, probes=0, batch=8, micro_batch=16)).lines()
    rows = labelled(arguments.pairs, arguments.pairs / "labels.jsonl", "ann")
    tokens = sum(sum(Rollout.demonstrated(policy, dpo.demonstration(row)).acted) for row in rows)
    assert line["loss"] == pytest.approx(log(2) - 0.5 * line["logp_chosen"] * len(rows) / tokens, rel=1e-4)


def test_what_is_preferred_becomes_likelier_than_what_is_not(whole):
    run = whole[1]
    margins = [line["margin"] for line in run.lines()]
    assert margins == sorted(margins)
    assert margins[-1] > 0.1
    assert run.lines()[-1]["label_accuracy"] == 1
    assert run.lines()[-1]["held_out_kl"] > 0


def test_another_annotator_is_learned_from_the_other_way_round(whole, tmp_path):
    arguments, run = whole
    other = dpo.train(replace(arguments, annotator="bob", out=tmp_path / "run", updates=2)).lines()
    assert other[0]["logp_chosen"] == pytest.approx(run.lines()[0]["logp_rejected"], rel=1e-5)
    assert other[1]["margin"] > 0


def test_an_interrupted_run_goes_on_to_what_an_unbroken_one_ends_with(whole, tmp_path, monkeypatch):
    arguments, run = whole
    arguments = replace(arguments, out=tmp_path / "run")
    cut_after(3, dpo, arguments, monkeypatch)
    (arguments.out / "checkpoint-00004.partial").mkdir()
    assert [path.name for path in RunFolder(arguments.out).checkpoints()] == ["checkpoint-00002"]
    resumed = dpo.train(arguments)
    assert untimed(resumed) == untimed(run)
    assert not list(arguments.out.glob("*.partial"))
    assert len(run.checkpoints()) == 2
    assert all(map(same_files, resumed.checkpoints(), run.checkpoints()))


def test_a_finished_run_is_not_trained_on(whole, monkeypatch):
    arguments, run = whole
    before = run.lines()
    monkeypatch.setattr(trl_runs.Bridge, "train", lambda *_, **__: pytest.fail("trains"))
    assert dpo.train(arguments).lines() == before


def test_a_checkpoint_plays(whole):
    run = whole[1]
    policy = HuggingFacePolicy.load(str(run.checkpoints()[-1]), device="cpu")
    assert policy([[{"role": "user", "content": "7 + 5?"}]])


def test_trl_reads_the_tokens_that_the_policy_would_say_and_flops_count_both_answers_of_a_pair(
    arguments, policy, monkeypatch, caplog
):
    seen = []
    saw = trl_runs.Bridge.saw
    monkeypatch.setattr(trl_runs.Bridge, "saw", lambda bridge, part, loss: seen.append(part) or saw(bridge, part, loss))
    [line] = dpo.train(replace(arguments, probes=0, batch=8, micro_batch=16)).lines()
    [part] = seen
    rows = labelled(arguments.pairs, arguments.pairs / "labels.jsonl", "ann")
    rollouts = [
        Rollout.demonstrated(policy, {**row, "completion": row[name]})
        for row in rows
        for name in ("chosen", "rejected")
    ]
    read = [
        (ids[mask > 0].tolist(), said[mask > 0].tolist())
        for ids, mask, said in zip(part["input_ids"], part["attention_mask"], part["completion_mask"], strict=True)
    ]
    ours = [(list(one.ids), one.acted) for one in rollouts]
    assert sorted(ids[: sum(map(bool, ids))][: len(said)] for ids, said in read) == sorted(ids for ids, _ in ours)
    assert sorted(read) == sorted(ours)
    size = sum(weight.numel() for weight in policy.model.parameters())
    assert line["flops"] == size * 8 * sum(len(one.ids) for one in rollouts)
    assert "prefix" not in caplog.text


def test_each_pair_is_shown_once_a_pass_in_an_order_of_its_own(arguments):
    def shown(update, parts):
        stream = dpo.endless(replace(arguments, batch=4), update, 2, list(range(6)))
        return [row for _ in range(parts) for row in next(stream)]

    rows = shown(0, 9)
    passes = [rows[:6], rows[6:12], rows[12:]]
    assert all(sorted(each) == list(range(6)) for each in passes)
    assert passes[0] != passes[1]
    assert shown(3, 3) == rows[12:]


def test_no_question_is_both_trained_on_and_held_out(arguments):
    rows = [{"cluster": name} for name in "aabbcdd"]
    trained, left = dpo.divided(arguments, rows)
    assert [row["cluster"] for row in left] == ["c", "d", "d"]
    assert trained == rows[:4]


def test_other_labels_in_the_same_file_are_another_run(whole, tmp_path, stopped, capsys):
    shutil.copytree(whole[0].pairs, tmp_path / "pairs")
    file = tmp_path / "pairs/labels.jsonl"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if '"ann"' in line))
    arguments = replace(whole[0], pairs=tmp_path / "pairs", annotator="", updates=1, out=tmp_path / "run")
    dpo.train(arguments)
    more(file, "cy")
    capsys.readouterr()
    said = stopped(lambda: dpo.train(arguments))
    assert "holds a run with other arguments (labels)" in said
    assert f"{file} has changed since that run began (its first 8 lines are what it held)" in said
    assert said.endswith("put back what was there, or choose another --out")


def test_labels_that_others_add_change_nothing_for_one_annotator(whole, tmp_path):
    arguments = whole[0]
    shutil.copytree(arguments.pairs, tmp_path / "pairs")
    arguments = replace(arguments, pairs=tmp_path / "pairs", out=tmp_path / "run", updates=1)
    first = dpo.train(replace(arguments))
    more(tmp_path / "pairs/labels.jsonl", "cy")
    assert dpo.train(arguments).lines() == first.lines()


def more(labels, annotator):
    """Add to a file of labels the first of its lines as that of another annotator."""
    line = labels.read_text().splitlines()[0].replace('"ann"', f'"{annotator}"')
    with labels.open("a") as file:
        file.write(line + "\n")


def test_memory_is_planned_by_the_longest_of_the_preferred_responses(arguments, policy):
    arguments = replace(arguments, labels=(arguments.pairs / "labels.jsonl",))
    lengths = [len(Rollout.demonstrated(policy, row).ids) for row in arguments.longest(8)]
    assert len(lengths) == 8
    plan = planning.plan_for(arguments, "tiny-lm", autocast=False)
    assert plan.tokens == arguments.batch * max(lengths)
    assert plan.start


def test_too_few_labels_to_hold_some_out_is_one_line(arguments, stopped):
    said = stopped(lambda: dpo.train(replace(arguments, probes=8)))
    assert "the labels are of 8 questions" in said
    assert "give more labels, or fewer --probes" in said
    assert not arguments.out.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"annotator": "cy"}, "expected one of ann, bob"),
        ({"label_smoothing": 0.1}, "--label-smoothing is of --loss robust"),
        ({"shard": True}, "nothing to shard over"),
        ({"pairs": Path("nowhere")}, "nowhere"),
    ],
)
def test_what_cannot_be_trained_on_is_one_line(change, told, arguments, stopped):
    assert told in stopped(lambda: dpo.train(replace(arguments, **change)))
    assert not arguments.out.exists()


def test_a_response_longer_than_the_model_reads_is_one_line(pairs, arguments, tmp_path, stopped):
    folder = tmp_path / "long"
    folder.mkdir()
    lines = [json.loads(line) for line in (pairs / "pairs.jsonl").read_text().splitlines()]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(line | {"a": "x" * 100_000}) + "\n" for line in lines))
    (folder / "labels.jsonl").write_bytes((pairs / "labels.jsonl").read_bytes())
    assert "of the model's context" in stopped(lambda: dpo.train(replace(arguments, pairs=folder)))


def test_a_picture_that_is_none_and_a_model_that_sees_none_are_one_line(pairs_seen, arguments, tmp_path, stopped):
    blind = replace(arguments, pairs=pairs_seen, probes=0)
    assert "choose a vision-language model" in stopped(lambda: dpo.train(blind))
    shutil.copytree(pairs_seen, tmp_path / "damaged")
    for picture in (tmp_path / "damaged/images").iterdir():
        picture.write_bytes(b"no picture")
    seeing = replace(blind, pairs=tmp_path / "damaged", model="tiny-vlm", out=tmp_path / "seeing")
    assert "cannot be opened" in stopped(lambda: dpo.train(seeing))


def test_without_trl_the_extra_to_install_is_told(arguments, monkeypatch, stopped):
    monkeypatch.setitem(sys.modules, "trl", None)
    assert 'pip install "verienv[preferences]"' in stopped(lambda: dpo.train(arguments))


def test_a_loss_that_is_not_finite_ends_the_run_before_the_step_with_its_batch_on_disk(arguments, monkeypatch, stopped):
    saw = trl_runs.Bridge.saw
    monkeypatch.setattr(trl_runs.Bridge, "saw", lambda bridge, part, loss: saw(bridge, part, loss * float("nan")))
    assert "the loss is not finite in update 1" in stopped(lambda: dpo.train(arguments))
    kept = torch.load(arguments.out / "not_finite.pt", weights_only=True)
    assert kept["batches"][0]["input_ids"].shape == kept["batches"][0]["attention_mask"].shape
    assert RunFolder(arguments.out).lines() == []


OPENED = []
WATCHES = []


def watch(event, given):
    if event == "open" and WATCHES:
        OPENED.append(str(given[0]))


def test_no_verdict_is_opened_and_the_verifier_is_never_called(arguments, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the verifier was called")

    monkeypatch.setattr(GeneralPointsQuestion, "judge", never)
    monkeypatch.setattr("verienv.generalpoints.verifier.verify", never)
    sys.addaudithook(watch)  # it stays, and sleeps
    OPENED.clear()
    monkeypatch.setattr(sys.modules[__name__], "WATCHES", [True])
    dpo.train(arguments)
    files = {Path(name).name for name in OPENED if str(arguments.pairs.parent) in name}
    assert files == {"pairs.jsonl", "labels.jsonl"}
    assert arguments.pairs.with_name("pairs-verdicts.jsonl").exists()


@pytest.mark.slow
def test_the_script_says_what_other_scripts_say_and_no_more(pairs, tmp_path):
    options = {"annotator": "ann", "out": tmp_path / "run", "updates": 2, "warm-up": 1, "checkpoints": 1, "probes": 2}
    options["device"] = "cpu"
    given = [str(one) for name, value in options.items() for one in (f"--{name}", value)]
    script = Path(dpo.__file__)
    told = subprocess.run([sys.executable, script, pairs, *given], capture_output=True, text=True, check=True)
    assert [line for line in told.stderr.splitlines() if line.strip() and "update" not in line] == []
    assert [line.partition(":")[0] for line in told.stdout.splitlines()] == ["memory", "checkpoints"]


def test_pairs_with_pictures_train_a_model_that_sees(pairs_seen, arguments, llava):
    run = dpo.train(replace(arguments, pairs=pairs_seen, model=str(llava), batch=2, updates=2, probes=1))
    first, second = run.lines()
    assert first["loss"] == pytest.approx(log(2), abs=1e-6)
    assert second["margin"] > 0
    assert HuggingFacePolicy.load(str(run.checkpoints()[-1]), device="cpu").processor is not None


@pytest.mark.slow
def test_the_start_below_an_adapter_stays_the_reference_when_a_run_goes_on(whole, tmp_path, monkeypatch):
    arguments = replace(whole[0], lora=4, learning_rate=1e-3)
    run = dpo.train(replace(arguments, out=tmp_path / "whole"))
    assert run.lines()[0]["loss"] == pytest.approx(log(2), abs=1e-6)
    cut_after(3, dpo, replace(arguments, out=tmp_path / "cut"), monkeypatch)
    assert untimed(dpo.train(replace(arguments, out=tmp_path / "cut"))) == untimed(run)
    assert (run.checkpoints()[-1] / "adapter_model.safetensors").exists()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny-vlm", "gp-sight"])
def test_the_models_that_see_train(model, tmp_path, arguments):
    folder = made_pairs.made(tmp_path / "pairs", "verienv/GeneralPoints-VL-v0", 6)
    [line] = dpo.train(replace(arguments, pairs=folder, model=model)).lines()
    assert line["loss"] == pytest.approx(log(2), abs=1e-5)
