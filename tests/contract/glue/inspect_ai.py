"""A task for Inspect: ``from inspect_ai import Task, task`` and so on, in place of the stand-in."""

from typing import Any

from tests.contract.libraries.inspect_ai import (
    ChatMessageUser,
    ContentImage,
    ContentText,
    MemoryDataset,
    Sample,
    Score,
    Task,
    mean,
    scorer,
    solver,
    stderr,
    task,
)

from verienv import Episode, rows
from verienv.adapters import openai
from verienv.core.dialogue import parts_of


def told(episode: Episode) -> ChatMessageUser:
    return ChatMessageUser(
        content=[
            ContentImage(image=part["image_url"]["url"]) if "image_url" in part else ContentText(text=part["text"])
            for part in parts_of(openai.messages(episode)[-1])
        ]
    )


@solver
def dialogue() -> Any:
    async def solve(state: Any, generate: Any) -> Any:
        episode = Episode.of(state.metadata["row"])
        while not episode.is_over:
            state = await generate(state, tool_calls="none")
            episode.answer(state.output.completion)
            state.messages.append(told(episode))
        state.store.set("score", episode.score())
        return state

    return solve


@scorer(metrics=[mean(), stderr(cluster="instance")])
def reward() -> Any:
    async def score(state: Any, target: Any) -> Score:
        return Score(value=state.store.get("score")["reward"], metadata=state.store.get("score"))

    return score


@task
def verienv(env_id: str, split: str = "test", n: int = 100, **settings: Any) -> Task:
    samples = [
        Sample(input=[told(Episode.of(row))], id=row["id"], metadata={"row": row, "instance": row["instance"]})
        for row in rows(env_id, split, n, **settings)
    ]
    return Task(dataset=MemoryDataset(samples), solver=dialogue(), scorer=reward())
