"""A taskset and an environment for ``verifiers``: in a package of one's own, ``import verifiers.v1 as vf``."""

from typing import Any

from pydantic import Field
from tests.contract.libraries import verifiers as vf

from verienv import Episode, judge, rows
from verienv.adapters import openai


class EpisodeData(vf.TaskData):
    row: dict[str, Any]


class EpisodeTask(vf.Task[EpisodeData]):
    async def validate(self, runtime: Any) -> bool:
        return judge(self.data.row, Episode.of(self.data.row).expert()).is_correct


class EpisodesConfig(vf.TasksetConfig):
    env_id: str = "verienv/GeneralPoints-L-v0"
    split: str = "train"
    n: int = 1000
    settings: dict[str, Any] = Field(default_factory=dict)


class Episodes(vf.Taskset[EpisodeTask, EpisodesConfig]):
    def load(self) -> list[EpisodeTask]:
        dealt = rows(self.config.env_id, self.config.split, self.config.n, **self.config.settings)
        return [EpisodeTask(EpisodeData(id=row["id"], row=row)) for row in dealt]


class EpisodeEnvConfig(vf.EnvConfig):
    agent: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime={"type": "subprocess"})


class EpisodeEnv(vf.Env[EpisodeEnvConfig]):
    async def run(self, task: EpisodeTask, agents: Any) -> None:
        episode = Episode.of(task.data.row)
        async with agents.agent.interaction(task) as talk:
            while not episode.is_over:
                turn = await talk.turn([vf.UserMessage(**openai.messages(episode)[-1])])
                episode.answer(turn.last_reply)
        score = episode.score()
        talk.trace.record_reward("reward", score["reward"])
        talk.trace.record_metric("success", score["success"])
