"""verienv in Inspect: every task, with its attempts, feedback, routes and pictures; it needs ``verienv[inspect]``.

    inspect eval verienv/generalpoints -T split=rule_ood -T n=200 --model openai/...
    inspect eval verienv/virl -T split=rule_ood -T vision=true --model ...
    inspect eval verienv/environment -T env_id=my_module:mine/Task-v0 --model ...

Inspect finds the tasks by their entry point. Each takes ``split`` ("test"), ``n`` (200 episodes), ``seed``, ``vision``
and any setting of ``gym.make``, such as ``-T attempts=1``. In Python, or for a task of one's own::

    from inspect_ai import Task, eval
    from verienv.adapters.inspect_ai import play, samples, verified

    own = Task(dataset=samples("verienv/GeneralPoints-L-v0", "rule_ood", n=50), solver=play(), scorer=verified())
    eval(own, model="openai/...")

The scores of a sample are the metrics of ``verienv.evaluate``, with standard errors clustered by its unit of inference:
``success``, by sight ``recognition``, on routes ``progress``, and others. They come from the responses in the log:
``inspect score LOG --scorer verienv/verified`` judges those again. A log whose settings open paths of this machine is
refused there, unless ``samples`` with these settings was called before, in the same process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from verienv.adapters.inspect_samples import CLUSTER, begun, messages, sample, scored
from verienv.core import tasks
from verienv.core.rows import rows
from verienv.core.task import Task
from verienv.core.version import __version__

RESPONSES = "responses"
"""Key of a sample's store: the responses of its episode so far."""
LONGEST_ANSWER = 500
"""The longest end of a response that a score repeats, in characters."""


def samples(env_id: str, split: str = "test", n: int = 200, seed: int = 0, **settings: Any) -> Any:
    """Return ``n`` episodes as a dataset of Inspect's; arguments and errors as ``verienv.rows``'s."""
    from inspect_ai.dataset import MemoryDataset, Sample

    found = [sample(row, trusted=True) for row in rows(env_id, split, n, seed, **settings)]
    made = [Sample(input=_spoken(each["input"]), id=each["id"], metadata=each["metadata"]) for each in found]
    return MemoryDataset(made, name=f"{env_id} {split}")


def _spoken(dialogue: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return messages to a policy as Inspect's own objects."""
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser}
    return [kinds[message["role"]](content=message["content"]) for message in dialogue]


def _play() -> Any:
    """Let the model play the episode of a sample; its settings open paths only if this process dealt it."""

    async def solve(state: Any, generate: Callable[..., Any]) -> Any:
        episode, responses = begun(state.metadata), list[str]()
        while not episode.is_over:
            state = await generate(state, tool_calls="none")
            responses.append(state.output.completion)
            state.store.set(RESPONSES, [*responses])  # a limit may end the sample at any call
            episode.answer(responses[-1])
            if episode.feedback:
                state.messages.extend(_spoken(episode.messages[-1:]))
            else:  # a further question begins a dialogue of its own
                state.messages = _spoken(messages(episode))
        return state

    return solve


def _verified() -> Any:
    """Score the responses in a sample's store, of another solver its output."""
    from inspect_ai.scorer import Score

    async def score(state: Any, target: Any) -> Any:
        responses = state.store.get(RESPONSES) or [state.output.completion]
        metrics, record = scored(state.metadata, responses)
        about = {"instance": record.instance, "failures": list(record.failures)}
        return Score(value=metrics, answer=responses[-1][-LONGEST_ANSWER:], metadata=about)

    return score


def _environment(env_id: str, split: str = "test", n: int = 200, seed: int = 0, **settings: Any) -> Any:
    """Make the task of an environment; arguments as ``samples``'s."""
    from inspect_ai import Task as InspectTask

    made = _registered()
    return InspectTask(
        dataset=samples(env_id, split, n, seed, **settings),
        solver=made["play"](),
        scorer=made["verified"](),
        metadata={"env_id": env_id, "verienv": __version__},
    )


def _of(task: Task) -> Callable[..., Any]:
    """Return what makes Inspect's task of one of verienv's: of its first environment in words, or by sight."""

    def make(split: str = "test", n: int = 200, seed: int = 0, vision: bool = False, **settings: Any) -> Any:
        for env_id in task.environments:
            if task.environment(env_id).vision == vision:
                return _environment(env_id, split, n, seed, **settings)
        known = ", ".join(task.environments)
        raise ValueError(f"vision={vision}: {task.title} has no such environment; choose another: {known}")

    return make


@cache
def _registered() -> dict[str, Any]:
    """Register the tasks, the solver and the scorer with Inspect, and return them by their names."""
    try:
        from inspect_ai import task
        from inspect_ai.scorer import mean, scorer, stderr
        from inspect_ai.solver import solver
    except ImportError:
        raise ImportError('verienv.adapters.inspect_ai needs Inspect: pip install "verienv[inspect]"') from None
    metrics = {"*": [mean(), stderr(cluster=CLUSTER)]}
    return {
        **{each.name: task(name=each.name)(_of(each)) for each in tasks.every()},
        "environment": task(name="environment")(_environment),
        "play": solver("play")(_play),
        "verified": scorer(metrics=metrics, name="verified")(_verified),
    }


def __dir__() -> list[str]:
    return sorted(["environment", "play", "samples", "verified", *(each.name for each in tasks.every())])


def __getattr__(name: str) -> Any:
    """Return ``play``, ``verified`` or a task. The first one asked for registers all: nothing else imports Inspect."""
    if name in __dir__():
        return _registered()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
