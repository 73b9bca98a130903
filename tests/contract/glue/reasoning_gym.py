"""A dataset for reasoning-gym, which knows one text question at a time: ``import reasoning_gym as rg``."""

from dataclasses import dataclass, field
from typing import Any

from tests.contract.libraries import reasoning_gym as rg

from verienv import Question, judge, rows


@dataclass
class QuestionsConfig:
    env_id: str = "verienv/GeneralPoints-L-v0"
    split: str = "train"
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    size: int = 500


class Questions(rg.ProceduralDataset):
    def __init__(self, config: QuestionsConfig) -> None:
        super().__init__(config, config.seed, config.size)
        self.rows = rows(config.env_id, config.split, config.size, config.seed, unit="question", **config.settings)

    def __getitem__(self, idx: int) -> dict[str, Any]:
        row = self.rows[idx]
        answer = Question.from_row(row).expert()
        return {"question": row["prompt"][0]["content"], "answer": answer, "metadata": dict(row)}

    def score_answer(self, answer: str | None, entry: dict[str, Any]) -> float:
        return judge(entry["metadata"], answer or "").reward


rg.register_dataset("verienv", Questions, QuestionsConfig)
