"""The spaces of observations and actions."""

import numpy as np

from verienv.core.spaces import PrintableText, image_space


def test_a_text_space_admits_printable_ascii_and_newlines_only() -> None:
    space = PrintableText(5)
    assert "a\n~ " in space
    assert "" in space
    assert not any(text in space for text in ("123456", "\t", "é", "\x00", "\x7f"))


def test_text_spaces_are_not_shared_so_that_seeding_one_leaves_the_other_alone() -> None:
    first, second = PrintableText(50), PrintableText(50)
    first.seed(0)
    second.seed(0)
    assert [first.sample(), first.sample()] == [second.sample(), second.sample()]


def test_an_image_space_is_shared_because_its_bounds_are_large() -> None:
    assert image_space(8, 6) is image_space(8, 6)
    assert image_space(8, 6).shape == (8, 6, 3)
    assert image_space(8, 6).dtype == np.uint8
