"""A reward model learns from labels alone, as TRL's does, and its scores are those of whole responses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.examples.conftest import break_off
from tests.preferences.made import label, pair, written

import reward
from scoring import CUT, FILE, Scorer, checkpoint_of
from verienv.core.dialogue import images_of, with_pictures
from verienv.core.rows import questions
from verienv.core.run_folder import TIMED
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.batch import Batch, Rollout
from verienv.preferences import labelled, responses

TWICE = {"epochs": 2, "save_every": 2}
SMALL = reward.Arguments(batch=4, micro_batch=4, device="cpu", warm_up=1, learning_rate=1e-3, log_with=())


def pairs_in(folder: Path, env: str, count: int = 12, **settings) -> Path:
    """Write pairs of an expert's response and a wrong one, and labels that prefer either or neither."""
    folder.mkdir()
    pairs = []
    for number, (row, question) in enumerate(questions(env, "train", count, 0, **{"attempts": 1, **settings})):
        images = [f"{number}.png" for _ in question.pictures]
        for name, image in zip(images, images_of(question.pictures), strict=True):
            image.save(folder / name)
        wrong = question.wrong("wrong_value", np.random.default_rng(number)) or "no idea"
        about = {"prompt": row["prompt"], "images": images, "a": question.expert(), "b": wrong}
        pairs.append(pair(number, **about))
    written(folder / "pairs.jsonl", *pairs)
    said = [label(one.pair, "aab"[n % 3]) for n, one in enumerate(pairs)]
    written(folder / "labels.jsonl", *said, label(pairs[0].pair, "tie"), label(pairs[1].pair, "b", "bo"))
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return pairs_in(tmp_path_factory.mktemp("words") / "pairs", "verienv/GeneralPoints-L-v0")


@pytest.fixture(scope="module")
def trained(pairs, tmp_path_factory):
    """A run of two passes, with a checkpoint after each update."""
    return reward.train(replace(SMALL, pairs=pairs, **TWICE, out=tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="module")
def scorer(trained):
    return Scorer.load(trained.out, device="cpu")


def lines(run):
    return [{key: value for key, value in line.items() if key not in TIMED} for line in run.lines()]


def test_the_loss_is_that_of_trls_reward_trainer(pairs, tmp_path):
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    torch.manual_seed(0)
    policy = HuggingFacePolicy.load("tiny-lm", device="cpu")
    rows = labelled(pairs, pairs / "labels.jsonl", "ann")
    ours = Scorer(policy)
    shown = [Rollout.demonstrated(policy, one) for row in rows for one in reward.both(row)]
    numbers = ours.numbers(policy.model, Batch.of(shown, policy)).view(-1, 2).T
    loss = reward.pair_losses(numbers[0] - numbers[1], torch.ones(len(rows))).mean()
    start = str(policy.model.name_or_path)
    theirs = AutoModelForSequenceClassification.from_pretrained(start, num_labels=1, dtype=torch.float32)
    theirs.score.weight.data.copy_(ours.head.weight)
    theirs.config.pad_token_id = policy.tokenizer.pad_token_id
    told = Dataset.from_list([{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in rows])
    how = {"report_to": [], "use_cpu": True, "bf16": False, "activation_checkpointing": False, "disable_tqdm": True}
    trainer = RewardTrainer(
        theirs, RewardConfig(str(tmp_path), disable_dropout=True, **how), train_dataset=told,
        processing_class=policy.tokenizer,
    )  # fmt: skip
    made = list(trainer.train_dataset)
    assert [one[name] for one in made for name in ("chosen_ids", "rejected_ids")] == [list(one.ids) for one in shown]
    inputs = trainer.data_collator(made)
    assert trainer.compute_loss(theirs.eval(), inputs).item() == pytest.approx(loss.item(), abs=1e-5)


def test_a_soft_label_pulls_both_ways():
    margins, p = torch.tensor([0.0, 2.0, 2.0]), torch.tensor([1.0, 1.0, 0.25])
    low, high = float(np.log1p(np.exp(-2))), float(np.log1p(np.exp(2)))
    assert reward.pair_losses(margins, p).tolist() == pytest.approx([np.log(2), low, 0.25 * low + 0.75 * high])


def test_a_run_that_was_cut_off_goes_on_to_what_an_unbroken_one_makes(trained, pairs, tmp_path):
    arguments = replace(SMALL, pairs=pairs, **TWICE, out=tmp_path / "run")
    break_off(lambda: reward.train(arguments), 4)
    again = reward.train(arguments)
    assert lines(again) == lines(trained)
    for name in ("model.safetensors", FILE):
        one, two = (load_file(run.checkpoints()[-1] / name) for run in (trained, again))
        assert all(one[key].equal(two[key]) for key in one)


def test_the_log_tells_how_well_labels_are_foreseen_and_what_it_cost(trained):
    first, *_, last = lines(trained)
    assert first["loss"] == pytest.approx(np.log(2), abs=0.3)
    assert {"accuracy", "held_out_accuracy", "held_out_loss"} <= last.keys()
    assert last["epoch"] == 2
    assert not [name for name in last if "reward" in name or "success" in name]
    assert last["flops"] > first["flops"] > 0


def test_scores_have_mean_0_and_deviation_1_over_the_responses_of_all_pairs(scorer, pairs):
    said = [[*row["prompt"], *row["completion"]] for row in responses(pairs)]
    scores = scorer(said)
    assert (scores.mean(), scores.std()) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-4))


def test_a_response_that_was_cut_off_has_a_fixed_score_and_is_not_read(scorer, pairs, monkeypatch):
    said = [[*row["prompt"], *row["completion"]] for row in responses(pairs)][:3]
    scores, read = scorer(said), scorer.read_tokens
    assert scorer(said, [True, False, True]) == pytest.approx([scores[0], CUT, scores[2]], abs=1e-5)
    read = scorer.read_tokens
    assert scorer(said[:1], [False]).tolist() == [CUT]
    assert scorer.read_tokens == read


def test_a_score_depends_on_nothing_but_its_dialogue(scorer, pairs):
    said = [[*row["prompt"], *row["completion"]] for row in responses(pairs)]
    assert scorer(said[::-1])[::-1] == pytest.approx(scorer(said), abs=1e-5)
    assert scorer(said[:1])[0] == pytest.approx(scorer(said)[0], abs=1e-5)


def test_alike_responses_have_the_same_score_to_the_last_bit_and_are_read_once(scorer, pairs):
    one, *more = [[*row["prompt"], *row["completion"]] for row in responses(pairs)]
    before = scorer.read_tokens
    scorer([one])
    length = scorer.read_tokens - before
    assert len({*scorer([one] * 70)}) == 1
    assert scorer.read_tokens == before + 2 * length
    assert scorer([one, *more, one])[0] == scorer([one, *more, one])[-1]


def test_a_checkpoint_plays_as_a_policy_too_with_the_words_it_had(trained):
    policy = HuggingFacePolicy.load(str(trained.checkpoints()[-1]), device="cpu")
    assert policy.model.get_output_embeddings().weight.shape[0] > 1
    assert len(policy([[{"role": "user", "content": "Make 24."}]])) == 1


def test_loading_a_scorer_draws_nothing(trained):
    before = torch.get_rng_state()
    Scorer.load(trained.out, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_no_cluster_is_on_both_sides():
    rows = [{"cluster": f"hand:{n // 3}"} for n in range(300)]
    train, held = reward.split(rows, 0.2, 0)
    assert not {row["cluster"] for row in train} & {row["cluster"] for row in held}
    assert 30 < len(held) < 90
    assert reward.split(rows, 0.0, 0) == (rows, [])


def test_labels_that_are_all_held_out_are_refused(pairs, tmp_path, stopped):
    arguments = replace(SMALL, pairs=pairs, test_share=1.0, out=tmp_path / "run")
    assert "--test-share 1 leaves none of 10 labelled pairs" in stopped(lambda: reward.train(arguments))


def test_other_labels_in_the_same_folder_are_another_run(trained, pairs, tmp_path, stopped):
    written(tmp_path / "labels.jsonl", label(), label("q1/0-1", "b"))
    other = replace(trained.arguments, labels=(tmp_path / "labels.jsonl",))
    assert "other arguments (labels)" in stopped(lambda: reward.train(other))


@pytest.mark.parametrize("damage", ["none", "half", "width", "nan", "gain", "more", "pickle"])
def test_a_folder_without_a_whole_head_is_one_line(damage, trained, tmp_path, stopped):
    folder = tmp_path / "scorer"
    HuggingFacePolicy.load("tiny-lm", device="cpu").save(folder)
    head = load_file(trained.checkpoints()[-1] / FILE)
    if damage == "pickle":
        torch.save(head, folder / FILE)
    elif damage != "none":
        head["head"] = {"width": head["head"][:, 1:], "nan": head["head"] * np.nan}.get(
            damage, head["head"]
        ).contiguous()
        head["scale"] *= 0.0 if damage == "gain" else 1.0
        head |= {"more": head["scale"].clone()} if damage == "more" else {}
        save_file(head, folder / FILE)
    if damage == "half":
        (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-9])
    said = stopped(lambda: Scorer.load(folder, device="cpu"))
    assert ("holds no reward model" if damage == "none" else "no head of this model") in said


def test_a_run_that_has_not_ended_is_no_scorer_yet(trained, tmp_path):
    (tmp_path / "checkpoint-00001").mkdir()
    with pytest.raises(ValueError, match="the run has not ended: give its command again"):
        checkpoint_of(tmp_path)
    assert checkpoint_of(trained.out) == trained.checkpoints()[-1]


@pytest.mark.slow
def test_a_small_adapter_is_trained_with_the_head(pairs, tmp_path):
    run = reward.train(replace(SMALL, pairs=pairs, lora=2, updates=1, out=tmp_path / "run"))
    said = [[*row["prompt"], *row["completion"]] for row in responses(pairs)]
    assert Scorer.load(run.out, device="cpu")(said).std() == pytest.approx(1, abs=1e-4)


def test_a_model_that_sees_scores_pictures(llava, tmp_path):
    folder = pairs_in(tmp_path / "pairs", "verienv/GeneralPoints-VL-v0", 4, image_size=112)
    run = reward.train(replace(SMALL, pairs=folder, model=llava, updates=1, out=tmp_path / "run"))
    rows = responses(folder)
    shown = [
        [*with_pictures(row["prompt"], [picture]), *row["completion"]]
        for row in rows
        for picture in (Image.open(row["images"][0]), Image.new("RGB", (112, 112)))
    ]
    scores = Scorer.load(run.out, device="cpu")(shown)
    assert (scores[::2].mean(), scores[::2].std()) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-4))
    assert abs(scores[::2] - scores[1::2]).max() > 1e-4  # the picture is read
