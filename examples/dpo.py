"""Direct preference optimisation: a policy learns from labelled pairs alone, by TRL's DPOTrainer (arXiv 2305.18290).

    python examples/pairs.py --model gp-arithmetic --out runs/pairs
    python examples/judge.py runs/pairs --simulated flip:0.25
    python examples/dpo.py runs/pairs --labels runs/pairs/labels-simulated.jsonl --annotator flip:0.25 --out runs/dpo
    python examples/dpo.py runs/pairs --loss robust --label-smoothing 0.25 --out runs/robust    # labels of label.py
    python examples/dpo.py runs/pairs-vision --model tiny-vlm --out runs/dpo-vision

The pairs should be the policy's own: sampled by examples/pairs.py from the --model that is trained here. Neither the
verifier nor its verdicts are asked. The log tells how likely the preferred and the other responses are: DPO often makes
both unlikelier (logp_chosen), while the margin between them grows. The same command continues an interrupted run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, Suppress

import command_line as cli
from run import Run
from sampling import held_out
from sft import order_of
from trl_runs import Bridge, alone, settings_of_trl, start_of
from verienv.core.dialogue import in_parts
from verienv.core.reading import read_bytes
from verienv.demos import opened
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.template import for_template
from verienv.preferences import labelled
from verienv.preferences.consensus import Method

Rows = list[dict[str, Any]]


@dataclass
class Arguments(cli.Training):
    """Arguments of DPO, beside those of all training."""

    pairs: Positional[Path] = Path("runs/pairs")
    """Folder of the pairs, as examples/pairs.py writes it."""
    labels: tuple[Path, ...] = ()
    """Files of their labels; by default labels.jsonl in that folder."""
    annotator: str = ""
    """Take the labels of this annotator alone; of several, all count."""
    method: Method = "majority"
    """How several labels of a pair become one: by majority, or by how reliable annotators seem to be."""
    out: Path = Path("runs/dpo")
    learning_rate: cli.Rate = 1e-5
    batch: cli.Size = 32
    """Pairs an update, which is one optimiser step."""
    probes: cli.OrNone = 16
    """Questions whose pairs are left out of training, on which every checkpoint's loss, that of the preferred response,
    and its KL to the start are logged; 0 for none."""
    beta: Annotated[float, cli.Bounds(1e-6, 1e3)] = 0.1
    """Price of leaving the start: the higher, the nearer the policy stays."""
    loss: Literal["sigmoid", "ipo", "robust", "sigmoid_norm"] = "sigmoid"
    """DPO's own; or ipo (arXiv 2310.12036); robust, for labels of which --label-smoothing are wrong (arXiv 2403.00409);
    or sigmoid_norm, in which log-probabilities are a token's."""
    label_smoothing: Annotated[float, cli.Bounds(0, 0.499)] = 0.0
    """Share of the labels that are taken to be wrong, for --loss robust."""
    sft_weight: cli.Weight = 0.0
    """Weight of the cross-entropy of the preferred responses, which keeps them likely."""
    weight_decay: cli.Weight = 0.0  # Weight decay of AdamW.
    env: Suppress[str] = "verienv/GeneralPoints-L-v0"  # with split and settings: questions come with the pairs
    split: Suppress[str] = "train"
    settings: Suppress[tuple[str, ...]] = ()
    kl_coef, teacher = 1.0, "expert"  # memory is planned as that of SFT with a price of KL, for which the start is read

    def longest(self, rows: int) -> Rows:
        """Return the longest of the preferred responses, as demonstrations, for the plan of memory."""
        found = sorted(rows_of(self), key=lambda row: -len(str(row["prompt"]) + str(row["chosen"])))
        return [demonstration(row) for row in found[:rows]]


def rows_of(arguments: Arguments) -> Rows:
    """Read the labelled pairs."""
    return labelled(arguments.pairs, arguments.labels, arguments.annotator, arguments.method)


def demonstration(row: dict[str, Any], name: str = "chosen") -> dict[str, Any]:
    """Return a response of a pair, the preferred one, as a demonstration, with its pictures."""
    return opened({"prompt": row["prompt"], "completion": row[name], "images": row.get("images", ())})


def divided(arguments: Arguments, rows: Rows) -> tuple[Rows, Rows]:
    """Return the pairs to train on, and those of the last --probes questions: no question is among both."""
    questions = list(dict.fromkeys(row["cluster"] for row in rows))
    kept = set(questions[: max(0, len(questions) - (0 if arguments.held_out else arguments.probes))])
    if not kept:
        raise ValueError(
            f"the labels are of {len(questions)} questions, ties left out, and --probes {arguments.probes} of them are "
            "held out; give more labels, or fewer --probes"
        )
    trained = [row for row in rows if row["cluster"] in kept]
    return trained, [row for row in rows if row["cluster"] not in kept]


def table(policy: HuggingFacePolicy, rows: Rows) -> Any:
    """Return pairs as TRL reads them: without special tokens, and without a system message where none is told."""
    from datasets import Dataset
    from datasets import Image as Picture

    for row in rows:  # what the model cannot read is told before TRL meets it
        for name in ("chosen", "rejected"):
            Rollout.demonstrated(policy, demonstration(row, name))
    suited = for_template(policy.processor or policy.tokenizer, in_parts=policy.processor is not None)
    said = [{name: policy.special.taken_out_of(row[name]) for name in ("prompt", "chosen", "rejected")} for row in rows]
    said = [row | {"prompt": suited(row["prompt"])} for row in (map(in_parts, said) if policy.processor else said)]
    pictures = [[{"bytes": read_bytes(Path(file)), "path": None} for file in row.get("images", ())] for row in rows]
    made = Dataset.from_list(said)
    return made.add_column("images", pictures, feature=[Picture()]) if any(pictures) else made


def endless(arguments: Arguments, update: int, part: int, rows: Any) -> Iterator[list[Any]]:
    """Yield parts of updates, from an update on: pass follows pass, each in an order of its own."""
    places = count(update * arguments.batch)
    order = lru_cache(2)(lambda epoch: order_of(arguments.seed, epoch, len(rows)))
    while True:
        yield [rows[order(place // len(rows))[place % len(rows)]] for place in islice(places, part)]


def told(logs: dict[str, float]) -> dict[str, float]:
    """Return what is logged of TRL's numbers: log-probabilities of whole responses in nats, and rewards, beta times."""
    names = {"logp_chosen": "logps/chosen", "logp_rejected": "logps/rejected", "label_accuracy": "rewards/accuracies"}
    names |= {"reward_chosen": "rewards/chosen", "reward_rejected": "rewards/rejected", "margin": "rewards/margins"}
    return {name: logs[theirs] for name, theirs in names.items()} | {"entropy": logs["entropy"]}


def fed(part: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return with what TRL calls the model for a part of an update, and 1 at the tokens of responses."""
    return {name: part[name] for name in part if name != "completion_mask"}, part["completion_mask"]


@cli.enough_memory("lower --micro-batch, or give --gradient-checkpointing, --lora 16 or --dtype bfloat16")
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    cli.check(arguments)
    arguments = replace(arguments, labels=arguments.labels or (Path(arguments.pairs, "labels.jsonl"),))
    team = alone(arguments)
    try:
        from trl import DPOConfig, DPOTrainer
    except ImportError:
        raise ValueError('DPO is TRL\'s, which is missing: pip install "verienv[preferences]"') from None
    if arguments.label_smoothing and arguments.loss != "robust":
        raise ValueError("--label-smoothing is of --loss robust: give both, or leave it out")
    trained, left = divided(arguments, rows_of(arguments))
    probes = held_out(arguments, {}) if arguments.held_out else [demonstration(row) for row in left]
    run = Run(arguments.out, arguments, team=team, probes=probes)
    if run.finished:
        return run
    learner = run.learner()
    settings = settings_of_trl(arguments, learner, arguments.batch, arguments.micro_batch // 2)  # a pair is two rows
    settings |= {"beta": arguments.beta, "label_smoothing": arguments.label_smoothing, "max_length": None}
    weights = {arguments.loss: 1.0} | ({"sft": arguments.sft_weight} if arguments.sft_weight else {})
    settings |= {"loss_type": list(weights), "loss_weights": list(weights.values())}
    batches = partial(endless, arguments, run.update, settings["per_device_train_batch_size"])
    given = {"train_dataset": table(learner.policy, trained), "ref_model": start_of(learner)}
    bridge = Bridge(run, learner, 6.0 + 2.0, told, fed)  # the start reads too
    bridge.train(DPOTrainer, DPOConfig, settings, batches, **given)
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        train(given).tell()
