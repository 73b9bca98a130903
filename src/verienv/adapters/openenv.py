"""verienv in OpenEnv 0.10: a server of whole episodes, and its client; it needs ``verienv[openenv]``.

A server, of one environment under settings of its own (``examples/openenv`` has its folder, with Dockerfile and
manifest)::

    import uvicorn
    from verienv.adapters.openenv import server

    uvicorn.run(server("verienv/VIRL-VL-v0", n=1000, turns=[1, 2], view_size=300), port=8000)

A client chooses split, index and seed, and a session of its own plays each episode::

    from verienv.adapters.openenv import client

    with client("http://127.0.0.1:8000").sync() as there:
        told = there.reset(split="rule_ood", index=3)
        while not told.done:
            told = there.step({"response": model(told.observation["messages"])})

``messages`` are those of OpenAI's chat completions, pictures as data URLs; a further question of a route begins a
dialogue of its own. ``reward`` is the answer's, and at the end ``observation["metadata"]`` is the episode's score. Task
discovery (``/verienv/splits``, ``/verienv/task`` and so on) lists the splits of the environment, ``n`` episodes each.
"""

from __future__ import annotations

from typing import Any

from verienv.adapters.openenv_environment import NAME, environment_classes
from verienv.adapters.openenv_served import Bounded, Offer, RefusedError


def server(
    env_id: str,
    n: int = 1000,
    seed: int = 0,
    *,
    sessions: int = 64,
    idle: float = 1800.0,
    longest: int = 1_000_000,
    **settings: Any,
) -> Any:
    """Return an ASGI application that serves the episodes of an environment.

    Args:
        env_id: e.g. "verienv/GeneralPoints-L-v0".
        n: the number of episodes that each split offers.
        seed: fixes them where a client names none.
        sessions: the most that may be open at once; a further client is refused.
        idle: the seconds after which a silent session is closed.
        longest: the most bytes of a message or body.
        settings: of ``gym.make``; they may open paths of this machine.

    Raises:
        ValueError: for arguments out of range.
        ImportError: if OpenEnv is not installed.
    """
    answer, dialogue, environment = environment_classes()
    from openenv.core.env_server.http_server import create_fastapi_app
    from openenv.core.env_server.types import ConcurrencyConfig

    offer = Offer(env_id, n, seed, **settings)
    concurrency = ConcurrencyConfig(max_concurrent_envs=sessions, session_timeout=idle)
    made = create_fastapi_app(
        lambda: environment(offer), answer, dialogue, concurrency_config=concurrency, env_name=NAME
    )
    made.add_exception_handler(RefusedError, _refused)
    return Bounded(made, longest, idle)


async def _refused(request: Any, error: Exception) -> Any:
    """Tell a client over HTTP in one sentence what is wrong, as a session is told."""
    from fastapi.responses import JSONResponse

    return JSONResponse({"detail": str(error)}, status_code=400)


def client(url: str, **options: Any) -> Any:
    """Return OpenEnv's client of a server, for ``async with``, or by ``.sync()`` for ``with``.

    Its actions and observations are plain dicts, so that it needs nothing of the server's.

    Args:
        url: e.g. "http://127.0.0.1:8000".
        options: of ``openenv.core.GenericEnvClient``, such as ``message_timeout_s``.

    Raises:
        ImportError: if OpenEnv is not installed.
    """
    environment_classes()
    from openenv.core import GenericEnvClient

    return GenericEnvClient(base_url=url, **options)
