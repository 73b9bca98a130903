"""Policies by name: built in, a folder, a model on the hub, or one behind a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from verienv.core.shown import shown

if TYPE_CHECKING:
    from verienv.core.policy import Policy

SERVER = "openai:"
"""Begins the names of models behind a server."""


def load(
    name: str | Path,
    *,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    top_p: float = 1.0,
    as_checkpoint: bool = False,
    batch_size: int | None = None,
    device: str = "auto",
    dtype: str | None = None,
    seed: int | None = None,
    base_url: str | None = None,
    concurrency: int = 8,
    prices: tuple[float, float] | None = None,
) -> Policy:
    """Load a model as a policy for ``verienv.evaluate``, of words or of pictures.

    Dialogues go through the model's chat template, padded on the left, without the special tokens that a policy spelled
    out in its words. Where the template refuses system messages or leaves them out, a system prompt stands before the
    question. The same dialogues get the same responses, at any temperature, without a ``seed``.

    Args:
        name: built in ("tiny-lm"; "tiny-vlm", which sees; the small starts "gp-arithmetic", "gp-rule" and "gp-sight",
            which sees), a folder with a saved model such as a checkpoint, or the name of one in the Hugging Face cache
            or to be downloaded; or "openai:" and the name of one behind a server (see ``OpenAIPolicy``).
        max_new_tokens: the longest response.
        temperature: 0 for the likeliest token, else that of sampling.
        top_p: draw from the likeliest tokens that hold this probability together.
        as_checkpoint: sample as the checkpoint's generation_config.json says, in place of ``temperature``, ``top_p``:
            by its temperature, top_p, top_k and repetition_penalty; one that asks for more is refused.
        batch_size: dialogues answered together; more are taken in turns, those of like length together.
        device: "cpu", "cuda", ..., or "auto" for a GPU where there is one.
        dtype: "float32" or "bfloat16"; by default that of a checkpoint, else float32.
        seed: with one each call draws anew, so that several samples of one response differ.
        base_url: the server of an "openai:" model, to which ``as_checkpoint`` and what follows it here mean nothing.
        concurrency: requests under way at once.
        prices: US dollars for a million prompt tokens and for a million completion tokens.

    Raises:
        ValueError: in one line, if torch or transformers are missing, the model cannot be loaded, has no chat template,
            or an argument is out of range or of servers alone; by the policy, for pictures shown to a model of words.
    """
    name = str(name)
    if name.startswith(SERVER):
        from verienv.policies.server import OpenAIPolicy

        return OpenAIPolicy(
            name.removeprefix(SERVER), base_url, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p,
            concurrency=concurrency, prices=prices,
        )  # fmt: skip
    for argument, given in (("base_url", base_url), ("prices", prices)):
        if given is not None:
            raise ValueError(
                f"{argument}={shown(given)} is of models behind a server, which {shown(name)} is not; give "
                f'"{SERVER}NAME" for one, or leave {argument} out'
            )
    for argument, number in (
        ("max_new_tokens", max_new_tokens),
        ("batch_size", 1 if batch_size is None else batch_size),
    ):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"{argument}={number!r}: expected an integer of at least 1")
    if dtype not in (None, "float32", "bfloat16"):
        raise ValueError(f"dtype={dtype!r}: expected float32 or bfloat16")
    try:
        from verienv.policies.hugging_face.policy import HuggingFacePolicy
        from verienv.policies.hugging_face.sampling import Sampling
    except ImportError as error:
        raise ValueError(f'models need torch and transformers ({error}): pip install "verienv[train]"') from None
    how: Any = {"device": device, "max_new_tokens": max_new_tokens, "batch_size": batch_size, "dtype": dtype}
    policy = HuggingFacePolicy.load(name, sampling=Sampling(temperature, top_p), **how)
    policy.seed = seed
    if as_checkpoint:
        policy.sampling = Sampling.of_checkpoint(policy.generation_config)
    return policy
