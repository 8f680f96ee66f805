"""Fixtures that every test may use: where the real data and other tools' answers lie."""

import importlib.util
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
SHARED = Path(__file__).parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shaped",
        choices=("all", "only", "without"),
        default="all",
        help="run the tests of tests/shaped.py only, or all but them",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one half of the tests where `make test` runs the halves in two processes."""
    half = config.getoption("--shaped")
    if half == "all":
        return
    spec = importlib.util.spec_from_file_location("shaped", HERE / "shaped.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kept, left = [], []
    for item in items:
        shaped = module.is_shaped(item.path.relative_to(HERE), item.name)
        (kept if shaped == (half == "only") else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.fixture(autouse=True, scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what commands remember of a user in a temporary folder."""
    os.environ["ALIGNKIT_STATE"] = str(tmp_path_factory.mktemp("state"))


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set {variable} to the folder to run this test")
    return folder


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real embeddings; skip where it is absent."""
    return _folder("ALIGNKIT_DATA", SHARED / "data")


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Return the folder of other tools' answers; skip where it is absent."""
    return _folder("ALIGNKIT_ORACLES", SHARED / "oracles")


@pytest.fixture(scope="session")
def make_film() -> Callable[..., Path]:
    """Return the function that writes a small film; skip where PyAV is absent."""
    pytest.importorskip("av")
    return _write_film


CODECS = {
    ".mkv": ("ffv1", "bgr0"),
    ".mp4": ("mpeg4", "yuv420p"),
    ".mov": ("mpeg4", "yuv420p"),
    ".webm": ("libvpx-vp9", "yuv420p"),
    ".avi": ("libx264", "yuv420p"),
}


def _write_film(
    path: Path,
    pictures: Sequence[Any],
    *,
    times: Sequence[float] | None = None,
    size: tuple[int, int] = (32, 16),
    degrees: int = 0,
) -> Path:
    """Write pictures (arrays, or greys from 0 to 255) shown from ``times`` on, by default 10 a second."""
    import av

    tick = Fraction(1, 10) if path.suffix == ".avi" else Fraction(1, 1000)  # AVI counts frames
    codec, layout = CODECS[path.suffix]
    options = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, layout
        stream.codec_context.time_base = tick
        if degrees:
            stream.set_display_rotation(degrees)
        container.start_encoding()  # else a film of no picture is no file
        for number, picture in enumerate(pictures):
            whole = np.broadcast_to(np.asarray(picture, np.uint8), (size[1], size[0], 3))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="rgb24")
            time = number / 10 if times is None else times[number]
            frame.pts, frame.time_base = round(time / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
