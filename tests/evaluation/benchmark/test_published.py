"""The results files of this repository hold, and their page is made of them."""

from pathlib import Path

import pytest

from verienv.evaluation.benchmark import BENCHMARKS, check_results, read_results

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "docs" / "results" / "benchmark").glob("*.json.gz"))


def test_the_page_of_results_is_made_of_the_files(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import build_benchmark

    assert build_benchmark.page() == (build_benchmark.RESULTS / "report.md").read_text(encoding="utf-8")


def test_the_baselines_played_every_part_and_all_files_are_of_a_published_benchmark():
    held = {path.name: read_results(path) for path in FILES}
    assert {len(held[f"{name}.json.gz"].parts) for name in ("expert", "constant")} == {4}
    for results in held.values():
        assert results.sha256 == BENCHMARKS[results.benchmark]
        assert results.commit != "unknown"
        assert "changes" not in results.commit


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_published_file_holds(path):
    assert check_results(read_results(path)).faults == []
