"""verienv in verifiers 0.4 (``verifiers.v1``), whose environments prime-rl trains on.

verifiers looks for an installed top-level module by its name; ``examples/verifiers`` has such a package for each task.
A module for an environment of one's own is these lines::

    from verienv.adapters.verifiers import environment

    Routes, RoutesEnv = environment("verienv/VIRL-VL-v0")
    __all__ = ["Routes", "RoutesEnv"]

and is run so, with no key and nothing sent anywhere but to the server::

    pip install -e . -e examples/verifiers/virl
    vf-eval verienv-virl -n 20 --no-push --env.taskset.split rule_ood --env.taskset.settings '{"turns": [1, 2]}' \\
        --model MODEL --client.base-url http://127.0.0.1:8000/v1 --client.api-key-var NO_KEY

The taskset's configuration: ``env_id``, ``split``, ``n`` episodes, ``seed``, ``settings`` of ``gym.make``, and
``trusted``, whether settings may open paths of this machine. A trace's reward is the sum over the episode's attempts,
and its metrics are those of ``Episode.score``. A whole route is one conversation, growing from waypoint to waypoint,
where elsewhere in verienv each begins a dialogue of its own; the setting ``episode="waypoint"`` deals single ones.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from verienv.adapters import openai
from verienv.core.dialogue import parts_of
from verienv.core.episode import Episode
from verienv.core.rows import questions


def environment(default_env_id: str) -> tuple[type[Any], type[Any]]:
    """Return the classes that a package exports: its taskset, and the environment that plays it.

    Its agent speaks alone, without a tool or a shell (harness ``null``), from a process of this machine (runtime
    ``subprocess``); both are configuration too.

    Args:
        default_env_id: the id that ``--env.taskset.env_id`` replaces, e.g. "verienv/GeneralPoints-L-v0".

    Raises:
        ImportError: if verifiers 0.4 or later is not installed.
    """
    try:
        import verifiers.v1 as vf
    except ModuleNotFoundError:
        raise ImportError('this adapter needs verifiers: pip install "verifiers>=0.4"') from None

    class EpisodeData(vf.TaskData):
        row: dict[str, Any]

    class EpisodeTask(vf.Task[EpisodeData]):
        @property
        def key(self) -> str:
            """The task's identity, whatever its place in a shuffled or filtered taskset."""
            return f"{self.data.row['id']} {self.data.row['settings']}"

        async def validate(self, runtime: Any) -> bool:
            """Tell whether the expert ends the episode with success."""
            episode = Episode.of(self.data.row, trusted=True)
            while not episode.is_over:
                episode.answer(episode.expert())
            return episode.is_success

    class EpisodesConfig(vf.TasksetConfig):
        env_id: str = default_env_id
        split: str = "train"
        n: int = 1000
        seed: int = 0
        settings: dict[str, Any] = Field(default_factory=dict)
        trusted: bool = False

    class Episodes(vf.Taskset[EpisodeTask, EpisodesConfig]):
        def load(self) -> Any:
            """Deal the tasks as they are asked for, the same ones for the same configuration."""
            own = self.config
            dealt = questions(own.env_id, own.split, own.n, own.seed, **own.settings)
            return (EpisodeTask(EpisodeData(**_data(row)), own.task) for row, _ in dealt)

    class EpisodesEnvConfig(vf.EnvConfig):
        agent: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime={"type": "subprocess"})

    class EpisodesEnv(vf.Env[EpisodesEnvConfig]):
        async def run(self, task: Any, agents: Any) -> None:
            """Play one episode; one that the run cuts short is paid for the answers given."""
            episode = Episode.of(task.data.row, trusted=self.config.taskset.trusted)
            async with agents.agent.interaction(task) as talk:
                while not episode.is_over:
                    turn = await talk.turn([vf.UserMessage(**openai.messages(episode)[-1])])
                    if turn.terminated:
                        break
                    episode.answer(turn.last_reply)
            score = episode.score()
            talk.trace.info["failure"] = score.pop("failure")
            talk.trace.record_reward("reward", score.pop("reward"))
            for name, value in score.items():
                talk.trace.record_metric(name, value)

    return Episodes, EpisodesEnv


def _data(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a task: its row, and the system prompt, which no turn of a user's can say."""
    prompt = row.pop("prompt")
    system = [part["text"] for message in prompt if message["role"] == "system" for part in parts_of(message)]
    return {"id": row["id"], "name": row["instance"], "system_prompt": "".join(system) or None, "row": row}
