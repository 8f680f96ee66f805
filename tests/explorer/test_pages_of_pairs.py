"""What the pages say of a chosen pair: commands that work in the explored folder, and whole words."""

import shlex

import numpy as np
import pytest
from typer.testing import CliRunner

from alignkit import Embeddings, Space, fit, save_alignment, write_embeddings
from alignkit.cli import app as alignkit
from alignkit.explorer.palettes import IN_THE_DARK, OKABE_ITO

streamlit = pytest.importorskip("streamlit", reason="streamlit is absent: pip install 'alignkit[app]'")
pytest.importorskip("plotly", reason="plotly is absent: pip install 'alignkit[app]'")
pytestmark = pytest.mark.filterwarnings("default")
EYE, EAR = ("eye " + "ab" * 32), ("ear " + "cd" * 32)


@pytest.fixture(scope="module")
def unlike(tmp_path_factory):
    """Return a folder with two spaces of unlike width, in folders with a space in the name, and a map."""
    root = tmp_path_factory.mktemp("unlike")
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(60, 8))
    ids = [f"item-{row}" for row in range(60)]
    (root / "my data").mkdir()
    sides = [
        Embeddings(
            meaning @ rng.normal(size=(8, dim)) + 0.1 * rng.normal(size=(60, dim)),
            ids=ids,
            space=Space(dim, name.split()[0], revision=name.split()[1]),
        )
        for name, dim in ((EYE, 8), (EAR, 12))
    ]
    for side, name in zip(sides, ("eye", "ear"), strict=True):
        write_embeddings(side, root / "my data" / f"{name}.space")
    save_alignment(fit(*sides, method="ridge", test=0).alignment, root / "ridge.alignment")
    return root


def asked(app) -> list[str]:
    return [each.value for each in app.code if each.value.startswith("alignkit ")]


def run(line: str, folder, monkeypatch) -> str:
    monkeypatch.chdir(folder)
    words, _, out = line.partition(" > ")
    done = CliRunner().invoke(alignkit, shlex.split(words)[1:])
    assert done.exit_code == 0, (line, done.output)
    if out:
        (folder / out).write_text(done.stdout)
    streamlit.cache_resource.clear()  # what lies in the folder is looked up every few seconds only
    return done.stdout


ORDER = {"source": "my data/eye.space", "target": "my data/ear.space"}


def test_commands_of_the_gap_page_work_on_spaces_of_unlike_width(visit, unlike, monkeypatch):
    app = visit(unlike, "gap", **ORDER, measured="0")
    lines = [line for command in asked(app) for line in command.splitlines()]
    assert [line.split()[1] for line in lines] == ["gap", "apply", "gap"]
    assert "--sweep" not in lines[0]
    for line in lines:
        run(line, unlike, monkeypatch)
    app = visit(unlike, "gap", **ORDER, measured="0")
    assert [each.value for each in app.selectbox if each.label == "Stored sweep"] == ["x.json"]
    for name in ("x.json", "mapped.space"):
        assert (unlike / name).exists()


def test_a_sweep_is_not_offered_where_there_are_no_pairs(visit, unlike):
    app = visit(unlike, "gap", **ORDER, measured="0", pairs="nothing")
    assert not any("--sweep" in command for command in asked(app))


def test_nothing_is_said_of_measures_where_every_one_was_taken(visit, folder):
    app = visit(folder, "gap")
    assert not any(each.label.startswith("0 not") for each in app.expander)


def test_the_compare_page_names_the_chosen_pair_and_a_map_that_is_not_there_yet(visit, unlike, monkeypatch):
    comparing, fitting = asked(visit(unlike, "compare", **ORDER))
    assert comparing.startswith("alignkit compare 'my data/eye.space' 'my data/ear.space' --methods ")
    assert fitting.endswith("--method procrustes --out procrustes.alignment")
    run(fitting, unlike, monkeypatch)
    assert len(visit(unlike, "compare", **ORDER).get("plotly_chart")) == 3


def test_the_mean_rank_of_chance_is_not_rounded_away(visit, folder):
    app = visit(folder, "query", q="item-07")
    assert {each.label: each.value for each in app.metric}["chance: mean rank"] == "30.5"


def test_the_folder_page_shortens_digests_and_shows_both_ends_of_a_map(visit, unlike):
    app = visit(unlike, "folder")
    words = "\n".join(each.value.to_csv() for each in app.table).replace("\\", "")
    assert "eye @ abababababab (8 dimensions),ear @ cdcdcdcdcdcd (12 dimensions)" in words
    assert "ab" * 8 not in words


def test_colours_follow_the_page(visit, folder, monkeypatch):
    import json

    def colours(app):
        figures = [json.loads(each.proto.spec) for each in app.get("plotly_chart")]
        return {trace.get("marker", {}).get("color") for figure in figures for trace in figure["data"]}

    assert set(OKABE_ITO[:2]) <= colours(visit(folder, "map", view="gap"))
    kind = type("Theme", (), {"type": "dark"})
    context = type(streamlit.context)
    monkeypatch.setattr(context, "theme", property(lambda _: kind()))
    for page in ("map", "gap"):
        found = colours(visit(folder, page, view="gap"))
        assert IN_THE_DARK[0] in found, page
        assert not set(OKABE_ITO[:2]) & found, page
