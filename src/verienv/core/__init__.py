"""Shared code: it knows no task."""
