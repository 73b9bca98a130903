"""The GPU check, one module a part; ``benchmarks/gpu_check.py`` runs them."""
