"""The list of tasks as a test leaves it is the list as it was before."""

from tests.core.conftest import listed

__all__ = ["listed"]
