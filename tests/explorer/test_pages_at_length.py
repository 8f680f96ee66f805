"""Pages over many artifacts and many interactions: everything is listed, and memory stays flat."""

import gc
import shutil

import numpy as np
import pyarrow as pa
import pytest

from alignkit import Embeddings, Space, fit, save_alignment, write_embeddings
from alignkit.explorer.server import ROOT, app_path

testing = pytest.importorskip(
    "streamlit.testing.v1", reason="streamlit is absent: pip install 'alignkit[app]'"
)
pytest.importorskip("plotly", reason="plotly is absent: pip install 'alignkit[app]'")
pytestmark = pytest.mark.filterwarnings("default")
ARTIFACTS = 100
WARM, STEPS, ROWS, MEGABYTES = 30, 100, 20_000, 10


def opened(folder, page, monkeypatch, **words):
    monkeypatch.setenv(ROOT, str(folder))
    app = testing.AppTest.from_file(str(app_path()), default_timeout=120).run()
    for name, word in words.items():
        app.query_params[name] = word
    return app.switch_page(f"explorer_pages/{page}_page.py").run()


def test_a_hundred_artifacts_are_listed_and_every_page_opens_on_them(folder, tmp_path, monkeypatch):
    for name in ("pictures.space", "sounds.space", "procrustes.alignment", "eval.report.json", "heard"):
        copy = shutil.copytree if (folder / name).is_dir() else shutil.copy
        stem, _, end = name.partition(".")
        for number in range(ARTIFACTS // 5):
            copy(folder / name, tmp_path / f"{stem}-{number:02d}.{end}".rstrip("."))
    pages = {}
    for page in ("folder", "map", "query", "compare", "gap", "audition", "report"):
        pages[page] = app = opened(tmp_path, page, monkeypatch)
        assert not app.exception, (page, [each.message for each in app.exception])
        assert not app.error, (page, [each.value for each in app.error])
    titles = [each.value for each in pages["folder"].subheader]
    assert titles[:4] == ["Spaces (40)", "Alignments (20)", "Reports (20)", "Auditions (20)"]
    assert len(pages["map"].selectbox(key="source").options) == 40
    assert len(pages["map"].selectbox(key="alignment").options) == 21  # and none
    assert len(pages["audition"].selectbox(key="audition").options) == 20
    assert len(pages["report"].selectbox(key="report").options) == 20


@pytest.mark.slow
def test_memory_is_flat_over_a_hundred_interactions(tmp_path, monkeypatch):
    psutil = pytest.importorskip("psutil", reason="psutil is absent: pip install 'alignkit[test]'")
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(ROWS, 8)).astype(np.float32)
    items = pa.table({"label": [str(row % 5) for row in range(ROWS)]})
    sides = [
        Embeddings(rows + shift, ids=[str(n) for n in range(ROWS)], space=Space(8, name), items=items)
        for name, shift in (("one", 0.3), ("two", -0.3))
    ]
    for side in sides:
        write_embeddings(side, tmp_path / f"{side.space.name}.space")
    save_alignment(fit(*sides, test=0).alignment, tmp_path / "a.alignment")
    app = opened(tmp_path, "map", monkeypatch, points="all", view="moving", alignment="a.alignment")
    used = []
    for step in range(WARM + STEPS):
        app.slider(key="along").set_value(0.05 * (step % 21))
        app.selectbox(key="colour").set_value(("modality", "label")[step % 2])
        app.toggle(key="lines").set_value(
            step % 4 > 1
        )  # 84 pictures of 360 kB and more: held, they would show
        app.text_input(key="pick").set_value(str(step))
        app.run()
        assert not app.exception
        if step % 5 == 0:
            gc.collect()
            used.append(psutil.Process().memory_info().rss / 1e6)
    early, late = used[WARM // 5 :][:6], used[-6:]
    assert np.median(late) - np.median(early) < MEGABYTES, [round(each) for each in used]
