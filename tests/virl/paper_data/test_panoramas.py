"""The panoramas of the public data: pickles that are read and never run, and what is missing."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.virl.paper_data import paper_folders as made

from verienv.virl.paper_data.panoramas import read_rotation
from verienv.virl.paper_data.routes import (
    PaperRoutes,
    check_panoramas,
    panorama_near,
    read_panoramas,
)
from verienv.virl.paper_data.safe_pickle import read_mapping
from verienv.virl.routes.options import RouteOptions
from verienv.virl.world.geometry import distance

BOTH = RouteOptions(40.0, "both")


class Malicious:
    """A pickle of it, once unpickled, makes a file."""

    def __init__(self, called: Any, *given: Any) -> None:
        self.reduced = called, given

    def __reduce__(self) -> Any:
        return self.reduced


def pickled(folder: Path, value: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> Path:
    (folder / "gps_pano_mapping.pkl").write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
    return folder


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_mapping_of_plain_numbers_is_read(protocol: int, tmp_path: Path) -> None:
    given = made.mapped() | {(1, -2): "whole", (0.5, 2): "mixed"}
    assert read_panoramas(pickled(tmp_path, given, protocol)) == given


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
def test_a_mapping_of_numpy_numbers_is_read(kind: Any, protocol: int, tmp_path: Path) -> None:
    given = {(kind(latitude), kind(longitude)): panorama for (latitude, longitude), panorama in made.mapped().items()}
    found = read_panoramas(pickled(tmp_path, given, protocol))
    assert found == {(float(latitude), float(longitude)): panorama for (latitude, longitude), panorama in given.items()}
    assert all(type(number) is float for position in found for number in position)


def test_the_older_name_of_numpy_and_its_other_byte_order_are_read(tmp_path: Path) -> None:
    raw = pickle.dumps({(np.float64(1.5), np.float64(2.5)): "pano"}, 3)
    older = raw.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert older != raw
    assert read_panoramas(pickled(tmp_path, older)) == {(1.5, 2.5): "pano"}
    swapped = raw.replace(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00>").replace(
        b"\0" * 6 + b"\xf8\x3f", b"\x3f\xf8" + b"\0" * 6
    )
    assert read_panoramas(pickled(tmp_path, swapped.replace(b"\0" * 6 + b"\x04\x40", b"\x40\x04" + b"\0" * 6))) == {
        (1.5, 2.5): "pano"
    }


def test_a_malicious_pickle_is_refused_and_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "touched"
    touch = Malicious(os.system, f"touch {mark}")
    opened = Malicious(open, str(mark), "w")
    for value in (touch, opened, {(1.0, 2.0): touch}, {(touch, 1.0): "a"}, {touch: "a"}, (touch,), [opened]):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(ValueError, match=r"gps_pano_mapping\.pkl: .*nothing of it was run") as error:
                read_panoramas(pickled(tmp_path, value, protocol))
            made.one_line(error)
    assert not mark.exists()
    os.system(f"touch {mark}")  # noqa: S605 - so the payload works
    assert mark.exists()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Malicious(os.system, "true"), "posix.system"),
        (Malicious(eval, "1"), "builtins.eval"),
        (Malicious(getattr, 1, "real"), "builtins.getattr"),
        (Path, "pathlib.Path"),
        (np.dtype, "numpy.dtype"),
        (np.zeros(2), "numpy"),
        ({(1.0, 2.0): np.str_("a")}, "type 'U1'"),
        ({(np.float16(1), 2.0): "a"}, "type 'f2'"),
        ({(np.complex128(1), 2.0): "a"}, "type 'c16'"),
    ],
)
def test_a_forbidden_global_is_named(value: Any, name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"forbidden|not admitted|no single dict") as error:
        read_panoramas(pickled(tmp_path, value, 4))
    assert name in str(error.value) or value is np.dtype


OTHER_PICKLES = {
    "nothing": b"",
    "text": b"hello",
    "truncated": pickle.dumps(made.mapped())[:-20],
    "a list": pickle.dumps([1.0]),
    "a dict in it": pickle.dumps({(1.0, 2.0): {}}),
    "a tuple that is not flat": pickle.dumps({((1.0,), 2.0): "a"}),
    "three numbers": pickle.dumps({(1.0, 2.0, 3.0): "a"}),
    "a bool": pickle.dumps({(True, 2.0): "a"}),
    "bytes": pickle.dumps({(1.0, 2.0): b"a"}),
    "NaN": pickle.dumps({(float("nan"), 2.0): "a"}),
    "too far north": pickle.dumps({(91.0, 2.0): "a"}),
    "a long integer": pickle.dumps({(1 << 1000, 2.0): "a"}),
    "a longer integer": pickle.dumps({(1 << 100_000, 2.0): "a"}),
    "an id that is a path": pickle.dumps({(1.0, 2.0): "../../secret"}),
    "an id that is empty": pickle.dumps({(1.0, 2.0): ""}),
    "an id that hides": pickle.dumps({(1.0, 2.0): ".hidden"}),
    "protocol 0": pickle.dumps(made.mapped(), 0),
    "a persistent id": b"\x80\x02U\x01aQ.",
    "an extension": b"\x80\x02\x82\x01.",
    "an instance": b"\x80\x02(ios\nsystem\n.",
    "an object": b"\x80\x02(cnumpy\ndtype\no.",
    "a call of nothing": b"\x80\x02)R.",
    "a build on a name": b"\x80\x02cnumpy\ndtype\n(X\x01\x00\x00\x00aX\x01\x00\x00\x00<tb.",
    "a build on the dict": b"\x80\x02}(X\x01\x00\x00\x00aX\x01\x00\x00\x00<tb.",
    "a scalar of nothing": b"\x80\x02cnumpy.core.multiarray\nscalar\n)R.",
    "a mark that is missing": b"\x80\x02}u.",
    "a memo that is missing": b"\x80\x02}h\x07.",
    "an item under a mark": b"\x80\x02}(\x86u.",
    "nothing before memoize": b"\x80\x04\x94.",
    "a huge frame": b"\x80\x04\x95" + b"\xff" * 8 + b"}.",
    "a huge string": b"\x80\x04X\xff\xff\xff\xff.",
    "an enormous string": b"\x80\x04\x8d" + b"\xff" * 8 + b".",
    "a huge integer": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "a dict in itself": b"\x80\x02}q\x00(h\x00h\x00\x86X\x01\x00\x00\x00au.",
    "two things": b"\x80\x02}}.",
    "no end": b"\x80\x02}",
}


@pytest.mark.parametrize("name", OTHER_PICKLES)
def test_any_other_pickle_is_refused(name: str, tmp_path: Path) -> None:
    if name == "a huge frame":  # frames are only announced: nothing is reserved for them
        assert read_panoramas(pickled(tmp_path, OTHER_PICKLES[name])) == {}
        return
    with pytest.raises(ValueError, match=r"gps_pano_mapping\.pkl: ") as error:
        read_panoramas(pickled(tmp_path, OTHER_PICKLES[name]))
    made.one_line(error)


def test_a_pickle_of_too_many_steps_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verienv.virl.paper_data.safe_pickle.MOST_STEPS", 1000)
    with pytest.raises(ValueError, match="more than 1000 instructions"):
        read_panoramas(pickled(tmp_path, b"\x80\x04" + b"K\x01" * 1001 + b"."))


def test_any_cut_or_changed_mapping_is_read_or_refused() -> None:
    whole = pickle.dumps({(np.float64(40.5), 2.5): "a", (1.5, np.int64(7)): "b"})
    rng = np.random.default_rng(0)
    for _ in range(2000):
        raw = bytearray(whole[: int(rng.integers(1, len(whole) + 1))])
        raw[int(rng.integers(len(raw)))] = int(rng.integers(256))
        try:
            found = read_mapping(bytes(raw))
        except ValueError:
            continue
        assert all(type(number) in (int, float) for position in found for number in position)


def test_the_panorama_is_that_of_the_position_or_the_nearest_within_twenty_metres() -> None:
    here = (40.0, -74.0)
    mapping = {here: "exact", (40.0001, -74.0): "eleven", (40.0003, -74.0): "far"}
    assert panorama_near(mapping, here) == "exact"
    assert panorama_near(mapping, (40.00008, -74.0)) == "eleven"
    with pytest.raises(ValueError, match=r"within 20 m of 40\.001000, -74\.000000: the nearest is 78 m away"):
        panorama_near(mapping, (40.001, -74.0))
    with pytest.raises(ValueError, match="there is none at all"):
        panorama_near({}, here)


def test_a_panorama_across_the_date_line_is_near() -> None:
    assert panorama_near({(0.0, 179.99995): "a"}, (0.0, -179.99995)) == "a"


def test_a_mapping_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gps_pano_mapping\.pkl is missing"):
        read_panoramas(tmp_path)


def test_panoramas_that_are_there_pass_the_check(tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc", mapping=made.mapped())
    dealer = PaperRoutes(data, BOTH)
    check_panoramas(data, [dealer.route(f"virl:nyc:{index}") for index in range(3)])
    assert read_rotation(data, "pano-start_0") == 12.5


def test_what_is_missing_of_the_panoramas_is_listed(tmp_path: Path) -> None:
    mapping = made.mapped()
    data = made.folder(tmp_path / "nyc", mapping=mapping)
    (data / "street_views" / "pano-start_0.jpg").unlink()
    first = mapping[made.POINTS[0]]
    (data / "street_views" / f"{first}.metadata.json").write_text('{"rotation": "north"}')
    del mapping[made.POINTS[-1]]
    pickled(
        data, {position: panorama for position, panorama in mapping.items() if distance(position, made.POINTS[-1]) > 25}
    )
    route = PaperRoutes(data, BOTH).route("virl:nyc:0")
    with pytest.raises(ValueError, match="3 missing") as error:
        check_panoramas(data, [route, route])
    told = made.one_line(error)
    for lack in ("street_views/pano-start_0.jpg", f"{first}.metadata.json", "a panorama within 20 m of 40.725200"):
        assert lack in told


@pytest.mark.parametrize(
    "metadata", ["", "[]", "{}", '{"rotation": true}', '{"rotation": NaN}', "[" * 200_000, '{"rotation": 1e999}']
)
def test_a_rotation_that_is_no_number_is_refused(metadata: str, tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc", mapping=made.mapped())
    (data / "street_views" / "pano-start_0.metadata.json").write_text(metadata)
    with pytest.raises(ValueError, match=r"pano-start_0\.metadata\.json: ") as error:
        read_rotation(data, "pano-start_0")
    made.one_line(error)
