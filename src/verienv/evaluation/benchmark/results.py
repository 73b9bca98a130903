"""The results file of a benchmark: every response, what it earned, and the estimates by cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, ValidationError

from verienv.core.files import atomic_text
from verienv.core.reading import read_whole
from verienv.core.shown import fault_of, shown, shown_path
from verienv.evaluation.benchmark.specification import BENCHMARKS, load_benchmark
from verienv.evaluation.log_file import read_log
from verienv.evaluation.report import CellResult

MOST_BYTES = 256 * 2**20
"""The bytes of a results file, unpacked."""
PlainName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:/?[A-Za-z0-9 ._:+@,=-]){0,119}$")]
"""A name without markup: it goes into tables as it is."""
_STRICT = ConfigDict(frozen=True, extra="forbid")


class PlayedPolicy(BaseModel):
    """The policy that played.

    Attributes:
        name: of the model, or of the baseline.
        kind: "baseline", "model" (on this machine) or "server".
        max_new_tokens: the length of the longest response, None for a baseline.
        temperature: the temperature of sampling, that of the benchmark; None for a baseline.
    """

    model_config = _STRICT

    name: PlainName
    kind: Literal["baseline", "model", "server"]
    max_new_tokens: Annotated[int, Field(ge=1, le=10**9)] | None = None
    temperature: FiniteFloat | None = None


class PlayedEpisode(BaseModel):
    """One episode: the instance, the responses in their order, and what they came to."""

    model_config = _STRICT

    instance: Annotated[str, Field(max_length=1000)]
    responses: tuple[str, ...] = Field(min_length=1)
    failures: tuple[str, ...] = Field(min_length=1)
    reward: FiniteFloat
    success: bool


class PlayedCell(BaseModel):
    """One cell: its estimates, and its episodes in the benchmark's order."""

    model_config = _STRICT

    result: CellResult
    episodes: tuple[PlayedEpisode, ...]


class BenchmarkResults(BaseModel):
    """A results file.

    Attributes:
        format: of this file.
        benchmark: its name.
        sha256: of the benchmark's specification.
        policy: the policy.
        command: the command that made it.
        commit: the revision of the repository that it was made in, "unknown" elsewhere.
        hardware: the machine, in words.
        versions: of verienv and the libraries that matter, by name.
        parts: by environment, each with all its cells; an environment that was not played is not there.
    """

    model_config = _STRICT

    format: Literal["verienv-results-1"] = "verienv-results-1"
    benchmark: str
    sha256: str
    policy: PlayedPolicy
    command: Annotated[str, Field(max_length=500)] = ""
    commit: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{7,64}(?:, with changes)?|unknown)$")] = "unknown"
    hardware: PlainName = "unknown"
    versions: dict[PlainName, PlainName] = Field(default_factory=dict, max_length=50)
    parts: dict[str, dict[str, PlayedCell]] = Field(min_length=1)

    @classmethod
    def of(
        cls,
        benchmark: str,
        policy: PlayedPolicy,
        logs: Mapping[str, tuple[Path, Mapping[str, CellResult]]],
        **about: str,
    ) -> Self:
        """Make the file of logs that ``evaluate`` wrote, each of a whole part, by environment, with its estimates.

        Raises:
            ValueError: if a log cannot be read.
        """
        parts: dict[str, dict[str, PlayedCell]] = {}
        for env_id, (path, results) in logs.items():
            cells: dict[str, list[PlayedEpisode]] = {cell: [] for cell in results}
            for played in read_log(path)[1]:
                record = played.record
                cells[record.cell].append(
                    PlayedEpisode(
                        instance=record.instance, responses=played.responses, failures=record.failures,
                        reward=record.reward, success=record.success,
                    )
                )  # fmt: skip
            parts[env_id] = {
                cell: PlayedCell(result=results[cell], episodes=tuple(found)) for cell, found in cells.items()
            }
        load_benchmark(benchmark)
        return cls(benchmark=benchmark, sha256=BENCHMARKS[benchmark], policy=policy, parts=parts, **about)

    def save(self, path: str | Path) -> None:
        """Write the file, by gzip if its name ends in .gz, all of it or nothing. Raises OSError if it cannot."""
        with atomic_text(path) as file:
            file.write(self.model_dump_json(indent=1) + "\n")


def read_results(path: str | Path) -> BenchmarkResults:
    """Read a results file, perhaps compressed; what it claims is not checked (see ``check_results``).

    Raises:
        ValueError: if it is none, or larger than ``MOST_BYTES``.
        OSError: if it cannot be read.
    """
    if not (data := read_whole(path, MOST_BYTES)).strip():
        raise ValueError(f"{shown_path(path)} is no results file (it is empty)")
    try:
        found = BenchmarkResults.model_validate_json(data)
    except ValidationError as error:
        is_evaluation = b"".join(data[:200].split()).startswith(b'{"setup":')
        why = "it is an evaluation's: verienv compare, or verienv view" if is_evaluation else fault_of(error)
        raise ValueError(
            f"{shown_path(path)} is no results file ({why}); give what evaluate --benchmark wrote by --out"
        ) from None
    try:
        json.loads(data, object_pairs_hook=_once)
    except ValueError as error:
        raise ValueError(f"{shown_path(path)} is no results file ({error})") from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON. Raises ValueError for one that says a name twice: readers would differ about it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in dict(pairs[:number]))
        raise ValueError(f"it says {shown(twice)} twice")
    return found
