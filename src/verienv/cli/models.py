"""Models that commands ask: by name, with how they sample and where they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from verienv.core.policy import Policy
from verienv.policies.by_name import SERVER, load

Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME_OR_PATH",
        help='A model: "tiny-lm" or, with pictures, "tiny-vlm", which are built in, as are the small starts '
        '"gp-arithmetic" (4 cards, 1 attempt), "gp-rule" (3 cards, 1 attempt) and "gp-sight" (4 cards in pictures, '
        "1 attempt); any Hugging Face chat model of words or of pictures, by name or folder; or openai:NAME for one "
        "behind a server of chat completions.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="With openai:NAME: the server, such as http://127.0.0.1:8000/v1; by default that of OPENAI_BASE_URL, else "
        "OpenAI's own. The key is that of OPENAI_API_KEY.",
    ),
]
Device = Annotated[str | None, typer.Option(help="The device of the model: cpu, cuda, ..., by default a GPU if any.")]
Dtype = Annotated[
    str | None,
    typer.Option(metavar="float32|bfloat16", help="By default that in which a checkpoint was trained, else float32."),
]
TopP = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Sample from the likeliest tokens that make up this probability."),
]


def model_policy(model: str, *, here: dict[str, Any], server: dict[str, Any], **how: Any) -> Policy:
    """Load a model, or name one behind a server.

    Args:
        model: its name.
        here: options of models on this machine, None where they are not given.
        server: options of models behind a server, likewise.
        how: options of both.

    Raises:
        ValueError: for an option of the other kind, and as ``policies.load`` does.
    """
    own, others = (server, here) if model.startswith(SERVER) else (here, server)
    for name, value in others.items():
        if value is not None:
            kind = f"models behind a server, --model {SERVER}NAME" if others is server else "models on this machine"
            raise ValueError(f"--{name.replace('_', '-')} is an option of {kind}, which {model} is not")
    given = {name: value for name, value in {**how, **own}.items() if value is not None}
    given["as_checkpoint"] = given.pop("generation_config", False)
    with enough_memory():
        return load(model, **given)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise ValueError, with what to change, where memory does not suffice for a model, or its weights are broken."""
    try:
        yield
    except FloatingPointError as error:
        raise ValueError(str(error)) from None
    except (RuntimeError, MemoryError) as error:
        lacking = any(words in str(error) for words in ("can't allocate memory", "out of memory"))
        if not (lacking or isinstance(error, MemoryError)):
            raise
        raise ValueError(
            "the memory does not suffice for the model; lower --batch-size or --max-new-tokens, or choose bfloat16 "
            "(--dtype) or another --device"
        ) from None
