"""Every method, in words and with pictures: killed, it goes on to what an unbroken run ends with, bit for bit."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.examples import made_pairs
from tests.examples.kills import SCRIPTS, kill_each
from tests.examples.test_robust import untimed

import best_of_n
import dpo
import grpo
import judge
import pairs
import ppo
import reward
import sft
from study_stages import write_chosen

pytestmark = pytest.mark.slow
STATE, STEP, SAMPLE = "while a state is saved", "between the steps of an update", "in a rollout"
RUN = {"device": "cpu", "warm_up": 1, "log_with": (), "updates": 2, "save_every": 1, "learning_rate": 1e-3}
PLAYED = {"episodes": 4, "batch": 4, "max_new_tokens": 12, "micro_batch": 4}
PPO = {**PLAYED, "minibatch": 2, "critic_passes": 1}
"""Per update one step of AdamW for the critic and two for the policy."""
REWARDS = {"flip": "flip:0.25", "judge": "judge"}
"""Reward models by the annotator whose labels they learn from."""
WAYS = ("killed", "whole")


@dataclass
class Made:
    """What methods learn from, in a folder: a start, its environment, pairs, labels, reward models."""

    folder: Path
    model: str
    env: str
    settings: tuple[str, ...]

    def labels(self, annotator):
        kind = "judge" if annotator == "judge" else "simulated"
        own = {} if kind == "judge" else {"annotator": annotator}
        return {"pairs": self.folder / "pairs", "labels": (self.folder / f"pairs/labels-{kind}.jsonl",), **own}

    def cases(self):
        """Return each method as it is run and killed: its arguments, the moment, and at which call of it."""
        asked = {"model": self.model, "env": self.env, "settings": self.settings, "device": "cpu"}
        few = {**RUN, **asked, "probes": 0}
        learned = {**RUN, "model": self.model, "batch": 2, "micro_batch": 4}
        chosen, rewards = (
            self.folder / "chosen.jsonl",
            {name: self.folder / f"reward-{name}" for name in ("flip", "judge")},
        )
        sampled = {**asked, "max_new_tokens": 12}
        return {
            "sft": (sft.Arguments(**few, batch=2), "while a model is saved", 2),
            "sft on chosen answers": (sft.Arguments(**few, batch=2, data=chosen), STEP, 2),
            "ppo": (ppo.Arguments(**few, **PPO, attempts=1), SAMPLE, 2),
            "ppo, 3 attempts": (ppo.Arguments(**few, **PPO, attempts=3), STEP, 5),
            "reft": (ppo.Arguments(**few, **PPO, attempts=1, kl_coef=0.05), STATE, 2),
            "groups": (ppo.Arguments(**few, **PPO, attempts=2, advantage="group", group=2), STATE, 2),
            "grpo": (grpo.Arguments(**few, **PLAYED, attempts=2, group=2), SAMPLE, 3),
            "dpo, program": (dpo.Arguments(**learned, **self.labels("program"), probes=2), "while a model is saved", 2),
            "dpo, simulated": (dpo.Arguments(**learned, **self.labels("flip:0.25"), probes=0), STATE, 2),
            "dpo, judge": (dpo.Arguments(**learned, **self.labels("judge"), probes=0), STEP, 2),
            "reward": (reward.Arguments(**learned, **self.labels("flip:0.25")), STATE, 2),
            "rlhf": (ppo.Arguments(**few, **PPO, attempts=1, reward=rewards["flip"], kl_coef=0.1), SAMPLE, 2),
            "rlaif": (ppo.Arguments(**few, **PPO, attempts=1, reward=rewards["judge"]), STATE, 2),
            "best of n": (best_of_n.Arguments(**sampled, reward=rewards["flip"], questions=3, n=2, batch=1), SAMPLE, 2),
            "pairs": (pairs.Arguments(**sampled, questions=4, samples=2, batch=2), SAMPLE, 2),
        }  # fmt: skip


@pytest.fixture(scope="module", params=["words", "vision"])
def killed(request, tmp_path_factory, llava):
    """All methods, killed in the folder "killed": tiny-lm in words, and a model by its path that sees."""
    folder = tmp_path_factory.mktemp(request.param)
    env, model, settings = (
        (made_pairs.WORDS, "tiny-lm", ())
        if request.param == "words"
        else ("verienv/GeneralPoints-VL-v0", llava, ("image_size=96",))
    )
    made = Made(folder, model, env, settings)
    made_pairs.made(folder / "pairs", env, 8, **({"image_size": 96} if settings else {}))
    judge.judge(judge.Arguments(folder / "pairs", ("program", "flip:0.25")))
    judge.judge(judge.Arguments(folder / "pairs", model=model, margin=0.0, device="cpu"))
    write_chosen(folder / "chosen.jsonl", str(folder / "pairs"), made.labels("program")["labels"], annotator="program")
    for name, annotator in REWARDS.items():
        given = {**RUN, **made.labels(annotator), "save_every": 0, "checkpoints": 1, "updates": 1}
        reward.train(reward.Arguments(**given, model=model, batch=2, out=folder / f"reward-{name}"))
    cases = {name: (replace(case[0], out=folder / "killed" / name), *case[1:]) for name, case in made.cases().items()}
    kill_each(cases, folder)
    return made, cases


@pytest.mark.parametrize("name", Made(Path(), "", "", ()).cases())
def test_a_method_that_was_killed_ends_as_one_that_was_not(name, killed):
    made, cases = killed
    arguments = cases[name][0]
    assert not (arguments.out / "finished").exists()
    call = SCRIPTS[type(arguments).__module__]
    resumed, whole = call(arguments), call(replace(arguments, out=made.folder / "whole" / name))
    if isinstance(resumed, dict | list):
        assert resumed == whole
    else:
        assert untimed(resumed) == untimed(whole)
        assert len(whole.checkpoints()) == 2
        one, other = (weights(run.out) for run in (resumed, whole))
        assert one.keys() == other.keys()
        assert all(one[part].equal(other[part]) for part in one)
    written = [[path.read_bytes() for path in sorted((made.folder / way / name).glob("*s.jsonl"))] for way in WAYS]
    assert written[0] == written[1]


def weights(folder):
    """The tensors of a run's checkpoints, by their files and names."""
    files = folder.glob("checkpoint-*/*.safetensors")
    return {(file.parent.name, file.name, part): one for file in files for part, one in load_file(file).items()}
