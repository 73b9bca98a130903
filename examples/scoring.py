"""Scores of responses by a reward model: a policy's backbone with a linear head in the place of that of its words.

A score is read at the last token of a response, its end (arXiv 2403.17031). One that was cut off has no end, and gets
``CUT``: never what a model makes of half an answer. A checkpoint of examples/reward.py is a folder with the policy that
it was made of, and the head, gain and bias in scorer.safetensors; the gain and the bias are chosen once, so that the
scores of the start's own responses have mean 0 and standard deviation 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model import parameters_of
from verienv.core.dialogue import Message, parts_of
from verienv.core.reading import read_bytes
from verienv.core.run_folder import RunFolder
from verienv.core.shown import cut, shown_path
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.batch import Batch, Rollout
from verienv.policies.hugging_face.policy import evaluating

CUT = -3.0
"""The score of a response that was cut off: three standard deviations below the mean of the start's."""
FILE = "scorer.safetensors"
MOST_BYTES = 2**24
Row = dict[str, Any]


class Scorer:
    """A reward model. Its policy has no words any more: it is for saving and for reading dialogues alone.

    Attributes:
        gain, bias: of ``gain * number + bias``, the score; the number is what the head gives.
        size: parameters, the M of the FLOPs formulas.
        read_tokens: of all dialogues scored so far; reading one costs 2 M.
    """

    def __init__(self, policy: HuggingFacePolicy, folder: Path | None = None) -> None:
        """Put a head on a policy's backbone: that in a folder with a scorer, otherwise a new one.

        Raises ValueError where the folder's head is damaged, or is that of another model.
        """
        self.policy, self.gain, self.bias, self.read_tokens = policy, 1.0, 0.0, 0
        self._words: Any = policy.model.get_output_embeddings()
        self.head = nn.Linear(self._words.weight.shape[1], 1, bias=False)
        nn.init.normal_(self.head.weight, std=(self.head.in_features + 1) ** -0.5)
        if folder and (folder / FILE).exists():
            self._take(folder / FILE)
        self.head.to(policy.device, self._words.weight.dtype)
        policy.model.set_output_embeddings(self.head)
        self.size = parameters_of(policy.model)

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto", batch_size: int = 64, autocast: bool = False) -> Scorer:
        """Load a reward model: a checkpoint, or the last one of a run that has ended. Raises ValueError for neither."""
        found = checkpoint_of(folder)
        how: dict[str, Any] = {"device": device, "batch_size": batch_size, "autocast": autocast}
        with torch.random.fork_rng(devices=()):  # a run that goes on draws what it would have drawn
            return cls(HuggingFacePolicy.load(str(found), **how), found)

    def save(self, folder: Path, weights: dict[str, Any] | None = None) -> None:
        """Save the policy with its own words, and the head; the folder appears whole or not at all."""
        partial = folder.with_name(f"{folder.name}.partial")
        self.policy.model.set_output_embeddings(self._words)
        try:
            self.policy.save(partial, weights)
        finally:
            self.policy.model.set_output_embeddings(self.head)
        kept = {"head": self.head.weight.detach().float().cpu(), "scale": torch.tensor([self.gain, self.bias]).double()}
        safetensors.torch.save_file(kept, partial / FILE)
        partial.rename(folder)

    def numbers(self, model: nn.Module, batch: Batch) -> Tensor:
        """Read dialogues, which end with a response each, with the model or what wraps it: their numbers, (rows,)."""
        last, length = batch.mask.sum(1) - 1, batch.ids.shape[1]
        since = int(last.min())
        kept = {"logits_to_keep": length - since} if self.policy.cuts_logits else {}
        with self.policy.computing():
            made = model(**batch.inputs(), use_cache=False, **kept).logits[:, since - length :]
        return made[torch.arange(len(last), device=last.device), last - since, 0].float()

    @torch.inference_mode()
    def raw(self, rows: Sequence[Row], ready: Callable[[Row], Row] = dict) -> Tensor:
        """Return the numbers of rows (``prompt``, ``completion``, ``images``), which ``ready`` opens, on the CPU."""
        policy, numbers = self.policy, list[float]()
        different = {str(row): row for row in rows}  # of those that are alike one is read, and all have its number
        by_length, size = sorted(different, key=len), policy.batch_size or 64  # less padding
        with evaluating(policy.model):
            for start in range(0, len(by_length), size):
                part = [ready(different[each]) for each in by_length[start : start + size]]
                batch = Batch.of([Rollout.demonstrated(policy, row) for row in part], policy)
                numbers += self.numbers(policy.model, batch).tolist()
                self.read_tokens += int(batch.mask.sum())
        found = dict(zip(by_length, numbers, strict=True))
        return torch.tensor([found[str(row)] for row in rows])

    def normalise(self, rows: Sequence[Row], ready: Callable[[Row], Row] = dict) -> int:
        """Choose gain and bias so that these rows' scores have mean 0 and deviation 1; return the tokens read."""
        before, numbers = self.read_tokens, self.raw(rows, ready).double()
        self.gain = float(1 / numbers.std(correction=0).clamp(min=1e-6))
        self.bias = float(-numbers.mean() * self.gain)
        return self.read_tokens - before

    def __call__(
        self, dialogues: Sequence[Sequence[Message]], ended: Sequence[bool] | None = None
    ) -> NDArray[np.float64]:
        """Return the scores of dialogues, which end with the response that is scored.

        Args:
            dialogues: chat messages, an image part with its picture, a PIL image, under "image".
            ended: whether each response was ended by whoever wrote it; False where it was cut off.
        """
        made, rows = np.full(len(dialogues), CUT), list[Row]()
        whole = [at for at in range(len(dialogues)) if ended is None or ended[at]]
        for *prompt, response in (dialogues[at] for at in whole):
            images = [part["image"] for message in prompt for part in parts_of(message) if part["type"] == "image"]
            rows.append({"prompt": prompt, "completion": [response], "images": images})
        made[whole] = self.gain * self.raw(rows).double().numpy() + self.bias
        return made

    def _take(self, path: Path) -> None:
        """Take head, gain and bias from a file. Raises ValueError for one that does not fit."""
        try:
            kept = safetensors.torch.load(read_bytes(path, MOST_BYTES))
            finite = all(each.isfinite().all() for each in kept.values())
            if not finite or set(kept) != {"head", "scale"} or not kept["scale"][0] > 0:
                raise ValueError("expected finite head and scale, with a gain above 0")
            self.head.load_state_dict({"weight": kept["head"]})
            self.gain, self.bias = kept["scale"].tolist()
        except Exception as error:  # a damaged file raises many kinds
            raise ValueError(f"{shown_path(path)}: no head of this model ({cut(error, 100)}); train it again") from None


def checkpoint_of(folder: str | Path) -> Path:
    """Return the folder of a reward model: itself, or the last checkpoint of a run. Raises ValueError for neither."""
    folder, run = Path(folder), RunFolder(Path(folder))
    if run.checkpoints() and run.finished:
        folder = run.checkpoints()[-1]
    if not (folder / FILE).is_file():
        going = "; the run has not ended: give its command again" if run.checkpoints() and not run.finished else ""
        raise ValueError(f"{shown_path(folder)} holds no reward model{going}; make one with examples/reward.py")
    return folder
