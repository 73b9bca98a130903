"""Benchmarks that can be cited: frozen instances, settings and temperature; results files; their check and their table.

    from verienv.evaluation.benchmark import check_results, load_benchmark, read_results, results_table

``verienv evaluate --benchmark v1`` plays one, ``verienv check-results FILE`` checks a results file.
"""

from verienv.evaluation.benchmark.checking import Checked, check_results
from verienv.evaluation.benchmark.questions import check_questions, hash_questions
from verienv.evaluation.benchmark.results import BenchmarkResults, PlayedPolicy, read_results
from verienv.evaluation.benchmark.specification import BENCHMARKS, Benchmark, load_benchmark
from verienv.evaluation.benchmark.tables import results_table

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "BenchmarkResults",
    "Checked",
    "PlayedPolicy",
    "check_questions",
    "check_results",
    "hash_questions",
    "load_benchmark",
    "read_results",
    "results_table",
]
