"""The specification of a benchmark: which instances are asked, in which cells and under which settings."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from verienv.core.assets import asset_path
from verienv.core.reading import read_bytes
from verienv.core.shown import shown

BENCHMARKS = {"v1": "f397c98cca757875dc8f736ce8443a930769441d946bc180827358b516a78086"}
"""The benchmarks, each with the SHA-256 of its specification. What one asks never changes: a change is a new one."""


class BenchmarkCell(BaseModel):
    """One cell: its settings, and the name of its list of instances."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any]
    instances: str


class BenchmarkPart(BaseModel):
    """One environment's part.

    Attributes:
        settings: those of every cell.
        cells: by name.
        asks: the SHA-256 of every question and of the replies to them (see ``hash_questions``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any]
    cells: dict[str, BenchmarkCell] = Field(min_length=1)
    asks: str


class Benchmark(BaseModel):
    """A benchmark.

    Attributes:
        name: such as "v1".
        temperature: the temperature of sampling, 0 for greedy.
        instances: lists of instance ids, by name; cells share them, so that they can be paired.
        parts: by the id of the environment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    temperature: float = Field(ge=0.0, allow_inf_nan=False)
    instances: dict[str, tuple[str, ...]]
    parts: dict[str, BenchmarkPart] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_its_instances(self) -> Self:
        for part in self.parts.values():
            for cell in part.cells.values():
                if not self.instances.get(cell.instances):
                    raise ValueError(f"instances {shown(cell.instances)} are not listed")
        return self

    def cells(self, env_id: str) -> dict[str, dict[str, Any]]:
        """Return the cells of a part as ``evaluate`` takes them. Raises ValueError for an environment without one."""
        part = self.part(env_id)
        return {
            name: {**part.settings, **cell.settings, "instances": list(self.instances[cell.instances])}
            for name, cell in part.cells.items()
        }

    def part(self, env_id: str) -> BenchmarkPart:
        """Return the part of an environment. Raises ValueError if there is none."""
        if env_id not in self.parts:
            raise ValueError(f"benchmark {self.name} has no {shown(env_id)}; it has {', '.join(self.parts)}")
        return self.parts[env_id]

    def to_json(self) -> str:
        """Return the text of its file: a line for each list of instances and for each cell."""
        plain = self.model_dump(mode="json")
        lists = ",\n".join(f"  {json.dumps(name)}: {json.dumps(ids)}" for name, ids in plain["instances"].items())
        parts = []
        for env_id, part in plain["parts"].items():
            cells = ",\n".join(f"    {json.dumps(name)}: {json.dumps(cell)}" for name, cell in part["cells"].items())
            parts.append(
                f'  {json.dumps(env_id)}: {{\n   "settings": {json.dumps(part["settings"])},\n   "cells": {{\n{cells}\n'
                f'   }},\n   "asks": {json.dumps(part["asks"])}\n  }}'
            )
        head = f' "name": {json.dumps(self.name)},\n "temperature": {json.dumps(self.temperature)}'
        return f'{{\n{head},\n "instances": {{\n{lists}\n }},\n "parts": {{\n' + ",\n".join(parts) + "\n }\n}\n"


@cache
def load_benchmark(name: str) -> Benchmark:
    """Load a benchmark by its name, such as "v1".

    Raises:
        ValueError: if there is none of this name, or its file is not the one that was published.
    """
    if name not in BENCHMARKS:
        raise ValueError(f"benchmark {shown(name)}: expected one of {', '.join(BENCHMARKS)}")
    raw = read_bytes(asset_path(f"benchmarks/{name}.json"))
    if sha256(raw).hexdigest() != BENCHMARKS[name]:
        raise ValueError(f"the file of benchmark {name} is not the one that was published; install verienv again")
    try:
        return Benchmark.model_validate_json(raw)
    except ValidationError as error:
        raise ValueError(f"the file of benchmark {name} is damaged ({error.errors()[0]['msg']})") from None
