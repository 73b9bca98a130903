"""Finding the shipped files, and saying what to do when they are not there."""

from pathlib import Path

import pytest

from verienv.core import assets
from verienv.core.assets import asset_path


def test_an_asset_is_found_in_a_checkout_and_in_an_installed_package_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "verienv"
    (package / "assets" / "tables").mkdir(parents=True)
    (package / "assets" / "tables" / "four_cards.npz").touch()
    assert asset_path("tables/four_cards.npz").is_file()
    monkeypatch.setattr(assets, "PACKAGE", package)
    assert asset_path("tables/four_cards.npz") == package / "assets" / "tables" / "four_cards.npz"


def test_a_missing_asset_is_named_with_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match=r"^verienv's asset 'tables/none.npz' is missing; reinstall verienv.*$"):
        asset_path("tables/none.npz")
