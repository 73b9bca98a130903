"""Arithmetic that tasks share: formulas, their TeX spellings, and a solver."""
