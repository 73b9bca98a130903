"""The table of a benchmark, from results files."""

from __future__ import annotations

from collections.abc import Iterable

from verienv.core import tasks
from verienv.evaluation.benchmark.results import BenchmarkResults
from verienv.evaluation.benchmark.specification import load_benchmark
from verienv.evaluation.metrics import shown_metrics
from verienv.evaluation.tables import markdown_table, percent

NOT_THERE = "?"


def results_table(files: Iterable[BenchmarkResults]) -> str:
    """Return Markdown: for each benchmark, environment and measure a table of policies by cells.

    The measures are success and, where it is another, the task's headline. The numbers are those of the files: check
    them first (``check_results``).

    Raises:
        ValueError: if there are no files.
    """
    held = list(files)
    if not held:
        raise ValueError("there are no results; play one: verienv evaluate --benchmark v1 --baseline expert --out FILE")
    tables = []
    for name in dict.fromkeys(one.benchmark for one in held):
        benchmark, mine = load_benchmark(name), [one for one in held if one.benchmark == name]
        for env_id, part in benchmark.parts.items():
            playing = [one for one in mine if env_id in one.parts]
            if not playing:
                continue
            task = tasks.of_env_id(env_id)
            headings = task.measures(vision=False).headings
            headline = task.measures(vision=False).headline
            for metric in dict.fromkeys(("success", headline)):
                heading = shown_metrics([metric], headings)[metric]
                episodes = {cell: len(benchmark.instances[own.instances]) for cell, own in part.cells.items()}
                counts = f"{min(episodes.values())} episodes a cell, attempts {part.settings['attempts']}"
                about = f"**{env_id.removeprefix('verienv/')}, {heading}**, percent (95% interval); {counts}."
                rows = [
                    [
                        one.policy.name,
                        *(
                            percent(one.parts[env_id][cell].result.metrics[metric])
                            if cell in one.parts[env_id] and metric in one.parts[env_id][cell].result.metrics
                            else NOT_THERE
                            for cell in part.cells
                        ),
                    ]
                    for one in playing
                ]
                tables.append(f"{about}\n\n{markdown_table([f'benchmark {name}', *part.cells], rows)}")
    return "\n\n".join(tables)
