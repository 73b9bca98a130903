"""Models by name or path: where they lie, and whether what lies there is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from verienv.core.assets import asset_path
from verienv.policies.hugging_face.finite import are_finite

BUILT_IN = ("tiny-lm", "tiny-vlm", "gp-arithmetic", "gp-rule", "gp-sight")
ONE_BUILT_IN = f"{', '.join(BUILT_IN[:-1])} or {BUILT_IN[-1]}"
"""Their names, as errors offer them."""
LONGEST_ASK = 5.0
"""Seconds that the hub has to say whether it holds a model."""
_A_PATH = re.compile(r"[/~.\\]|.*[/\\].*[/\\]|.*[/\\]checkpoint-\d+$|\w:\\")
"""Begins names that the hub cannot have: they are relative to a folder, or have more than an owner and a name."""


class NoModelError(ValueError):
    """A name that is of no model, neither here nor on the hub, as far as the hub can be asked."""


def path_of(name: str) -> str:
    """Return the folder of a built-in model, any other name as it is. Raises NoModelError for a path of no folder."""
    if name in BUILT_IN:
        try:
            return str(asset_path(f"models/{name}"))
        except FileNotFoundError as error:
            raise NoModelError(str(error)) from None
    if not Path(name).is_dir() and _A_PATH.match(name):
        raise NoModelError(
            f"there is no folder {name}; give that of a saved model, such as a checkpoint, or {ONE_BUILT_IN}"
        )
    return name


def demand_found(path: str) -> None:
    """Raise NoModelError, within seconds, where a model is in no folder, not in the cache, and not on the hub.

    transformers asks a hub that it cannot reach for half a minute. One that is there and busy it may ask again.
    """
    if Path(path).is_dir():
        return
    try:
        if not isinstance(try_to_load_from_cache(path, "config.json"), str):
            get_hf_file_metadata(hf_hub_url(path, "config.json"), timeout=LONGEST_ASK)
        return
    except HFValidationError as error:
        fault = f"no name that the hub can have: {first_line(error)}"
    except OfflineModeIsEnabled:
        fault = "not in the cache, and HF_HUB_OFFLINE forbids to ask the hub"
    except GatedRepoError:
        fault = "not in the cache, and its owner must let you have it: ask on its page, then `hf auth login`"
    except RepositoryNotFoundError:
        fault = "not in the cache, and not on the hub, or private: `hf auth login`"
    except HfHubHTTPError:
        return
    except Exception as error:  # of a name server, a proxy, a certificate: each has a kind of its own
        fault = f"not in the cache, and the hub cannot be reached: {first_line(error)}; HF_HUB_OFFLINE=1 does without"
    raise NoModelError(
        f"there is no model {path!r} ({fault}); give {ONE_BUILT_IN}, the folder of a saved language or "
        "vision-language model, or the name of one on the hub or in the cache, such as owner/name"
    )


def kept_in(folder: str, name: str) -> dict[str, Any]:
    """Read a JSON file of a checkpoint: its fields, {} where there is no such file."""
    path = Path(folder) / name
    return dict(json.loads(path.read_text())) if path.exists() else {}


def demand_whole(
    name: str,
    model: PreTrainedModel,
    reader: PreTrainedTokenizerBase | ProcessorMixin,
    tokenizer: PreTrainedTokenizerBase,
    missing: Collection[str],
) -> None:
    """Raise ValueError where a model would load and not play: weights lacking or not finite; no template, no stop."""
    if missing:
        some = ", ".join(sorted(missing)[:3]) + (", ..." if len(missing) > 3 else "")
        raise ValueError(
            f"the weights of {name!r} lack {some} ({len(missing)} in all): its files are of another model, or cut"
        )
    if are_finite(model.parameters()).isnan():
        raise ValueError(
            f"the weights of {name!r} are not finite: it is damaged, or of a run that diverged; take another"
        )
    spoken = "processor" if reader is not tokenizer else "tokenizer"
    if not reader.chat_template:
        raise ValueError(f"the {spoken} of {name!r} has no chat template; choose an instruction-tuned model")
    hello = {"role": "user", "content": "hi" if reader is tokenizer else [{"type": "text", "text": "hi"}]}
    try:
        reader.apply_chat_template([hello], add_generation_prompt=True, tokenize=False)
    except Exception as error:  # whatever a template comes to
        raise ValueError(
            f"the chat template of {name!r} cannot be used ({first_line(error)}); mend or replace it"
        ) from None
    if tokenizer.eos_token_id is None and None in (model.generation_config.eos_token_id, tokenizer.pad_token_id):
        raise ValueError(f"{name!r} names no token that ends a response: its tokenizer's files are not whole")
    ends = model.generation_config.eos_token_id
    if ends is not None and not (isinstance(ends, int) or (ends and all(isinstance(end, int) for end in ends))):
        raise ValueError(f"the tokens that end a response of {name!r} are {ends!r}, expected numbers, one or more")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, at most 200 characters; its kind where it has no text."""
    return next((line.strip()[:200] for line in str(error).splitlines() if line.strip()), type(error).__name__)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    told = any(words in str(error) for words in ("can't allocate memory", "out of memory"))
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or told
