"""Stand-in for ``reasoning_gym``: procedural datasets of questions with one answer each, and their registry."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import is_dataclass
from random import Random
from typing import Any

_datasets: dict[str, tuple[Any, Any]] = {}


class ProceduralDataset(ABC):
    def __init__(self, config: Any, seed: int | None = None, size: int = 500) -> None:
        self.config, self.size = config, size
        self.seed = seed if seed is not None else Random().randint(0, 2**32)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for index in range(self.size):
            item = self[index]
            item["metadata"]["_rgidx"] = index
            yield item

    @abstractmethod
    def __getitem__(self, idx: int) -> dict[str, Any]: ...

    def score_answer(self, answer: str | None, entry: dict[str, Any]) -> float:
        return float(answer == entry["answer"])


def register_dataset(name: str, dataset_cls: Any, config_cls: Any) -> None:
    assert issubclass(dataset_cls, ProceduralDataset)
    assert is_dataclass(config_cls)
    _datasets[name] = (dataset_cls, config_cls)


def create_dataset(name: str, **settings: Any) -> ProceduralDataset:
    dataset_cls, config_cls = _datasets[name]
    made: ProceduralDataset = dataset_cls(config=config_cls(**settings))
    return made
