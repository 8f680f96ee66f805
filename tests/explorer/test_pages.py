"""Every page runs without a browser: on nothing, on one space, on two, and beside broken artifacts."""

import io
import shutil
from itertools import product

import numpy as np
import pytest
import soundfile
from PIL import Image

from alignkit import Embeddings, fit, open_embeddings, save_alignment, write_embeddings
from alignkit.encoders.toy import Toy
from alignkit.explorer.selections import load_selection

testing = pytest.importorskip(
    "streamlit.testing.v1", reason="streamlit is absent: pip install 'alignkit[app]'"
)
pytest.importorskip("plotly", reason="plotly is absent: pip install 'alignkit[app]'")
PAGES = ("folder", "map", "query", "compare", "gap", "audition", "report")
COLOURS, PITCHES = ("red", "blue", "green", "yellow"), ("high", "low", "rising", "falling", "quiet")
pytestmark = pytest.mark.filterwarnings(
    "default"
)  # what streamlit's own libraries warn of is no fault of ours


def said(app) -> str:
    kinds = (
        "text",
        "info",
        "error",
        "warning",
        "code",
        "header",
        "subheader",
        "metric",
        "caption",
        "success",
    )
    return "\n".join(str(each.value) for kind in kinds for each in getattr(app, kind))


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_folder_names_the_command_to_run(visit, tmp_path, page):
    app = visit(tmp_path, page)
    assert "alignkit " in "\n".join(each.value for each in app.code)
    assert len(app.info) == 1


@pytest.mark.parametrize("page", PAGES[1:5])
def test_one_space_says_that_two_are_needed(visit, folder, tmp_path, page):
    shutil.copytree(folder / "pictures.space", tmp_path / "pictures.space")
    app = visit(tmp_path, page)
    assert "Only one space" in said(app)
    assert "alignkit embed" in said(app)


def test_spaces_that_nothing_joins_name_the_command_that_fits_a_map(visit, folder, tmp_path):
    for name in ("pictures.space", "sounds.space"):
        shutil.copytree(folder / name, tmp_path / name)
    for page in ("map", "query", "gap"):
        assert "alignkit fit pictures.space sounds.space" in said(visit(tmp_path, page)), page


def test_broken_artifacts_are_listed_with_their_sentence_and_the_rest_works(visit, folder):
    app = visit(folder, "folder")
    assert "Broken (2)" in said(app)
    assert "Spaces (2)" in said(app)
    shown = [each.value.replace("\\", "") for each in app.main.markdown]
    (broken,) = [text for text in shown if text.startswith("**broken.space** (space)")]
    assert "broken.space/space.json cannot be read" in broken
    assert broken.endswith("copy or write it again.")
    assert not any(str(folder) in text for text in shown)


def test_the_map_draws_both_sides_and_keeps_its_choices_in_the_address(visit, folder):
    app = visit(folder, "map", view="gap", colour="rank", lines="1", alignment="ridge.alignment")
    assert len(app.get("plotly_chart")) == 1
    assert "120 of 120 points; 60 pairs by id" in said(app)
    values = {each.label: each.value for each in app.selectbox}
    assert (values["Picture"], values["Colour by"], values["Alignment"]) == ("gap", "rank", "ridge.alignment")
    app.selectbox(key="view").set_value("moving").run()
    app.slider(key="along").set_value(0.25).run()
    assert not app.exception
    words = dict(app.query_params)
    assert (words["view"], words["along"], words["colour"]) == ("moving", "0.25", "rank")


def test_an_address_that_makes_no_sense_falls_back_to_what_there_is(visit, folder):
    app = visit(folder, "map", view="spiral", source="../../etc", along="nine", selection="../x")
    assert app.selectbox(key="view").value == "pca"
    assert app.selectbox(key="source").value == "pictures.space"
    assert "names no selection" in " ".join(each.value for each in app.warning).replace("\\", "")


def test_a_selection_is_listed_with_its_own_medium_and_its_link_reopens_it(visit, folder, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(folder, root)
    app = visit(root, "map")
    row = open_embeddings(root / "pictures.space").ids.to_pylist().index("item-07")
    app.session_state["map"] = {"selection": {"points": [{"customdata": [0, row]}]}}
    app.run()
    frame = app.dataframe[0].value
    assert frame["id"].tolist() == ["item-07"]
    word = app.query_params["selection"]
    assert load_selection(root, word) == [("pictures.space", "item-07")]
    again = visit(root, "map", selection=word)
    assert again.dataframe[0].value["id"].tolist() == ["item-07"]
    assert again.dataframe[0].value["picture"].tolist() == frame["picture"].tolist()


def test_a_query_shows_neighbours_rank_and_hubness_and_captions_are_text(visit, folder):
    app = visit(folder, "query", q="item-07")
    assert "rank of the true partner" in [each.label for each in app.metric]
    frame = app.dataframe[0].value
    assert len(frame) == 10
    assert frame["found by (N10)"].between(0, 60).all()
    assert (frame["partner"] == "yes").sum() <= 1
    assert not any("<img" in each.value for each in app.markdown)
    assert any("<img src=x" in each.value for each in app.text)
    backward = visit(folder, "query", direction="target to source", q="item-03")
    assert backward.dataframe[0].value["id"].str.startswith("item-").all()


def test_compare_shows_tests_wins_and_two_linked_maps(visit, folder):
    app = visit(folder, "compare")
    labels = {each.label: each.value for each in app.metric}
    assert int(labels["wins of the first"]) + int(labels["ties"]) + int(labels["wins of the second"]) == 60
    assert len(app.get("plotly_chart")) == 3
    assert set(app.dataframe[0].value["method"]) == {"procrustes (a)", "ridge (b)"}


def test_gap_shows_every_measure_beside_its_band(visit, folder):
    app = visit(folder, "gap")
    frame = app.dataframe[0].value.set_index("measure")
    assert "after the map" in set(frame["when"])
    assert {"centroid_distance", "linear_separability", "mutual_knn"} <= set(frame.index)
    assert set(frame["against the null"]) <= {"above", "within", "below", ""}


def test_votes_are_blind_until_asked_and_stored_beside_the_audition(visit, folder, tmp_path):
    shutil.copytree(folder / "heard", tmp_path / "heard")
    app = visit(tmp_path, "audition")
    for choice in ("A", "B", "tie"):
        app.button(key=f"vote-{choice}").click().run()
        assert not app.exception
    assert len((tmp_path / "heard" / "votes.jsonl").read_text().splitlines()) == 3
    assert "Every item is judged." in said(app)
    assert not any("<img" in each.value for each in app.markdown)


def test_a_report_is_given_in_every_format_with_its_command(visit, folder):
    app = visit(folder, "report", report="eval.report.json")
    codes = [each.value for each in app.code]
    assert any(r"\begin{tabular}" in code for code in codes)
    assert any(code.startswith("section,metric,value") for code in codes)
    assert any(code.startswith("alignkit eval ") and "eval.report.json" in code for code in codes)
    assert "Figures" in said(app)


def test_all_points_are_drawn_on_request_and_words_select_among_them(visit, folder, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(folder, root)
    app = visit(root, "map", points="all", view="moving", along="0.5", lines="1", colour="rank")
    assert len(app.get("plotly_chart")) == 0
    assert "120 of 120 points; 60 pairs by id" in said(app)
    assert "50% of the way" in said(app)
    app.text_input(key="pick").set_value("picture 12").run()
    assert not app.exception
    assert app.dataframe[0].value["id"].tolist() == ["item-12"]
    word = app.query_params["selection"]
    assert load_selection(root, word) == [("pictures.space", "item-12")]
    app.text_input(key="pick").set_value("no such thing").run()
    assert "No row holds no such thing" in said(app)
    assert app.dataframe[0].value["id"].tolist() == ["item-12"]
    app.button(key="pick-none").click().run()
    assert "selection" not in app.query_params
    assert len(app.dataframe) == 0
    for view, colour in (("pca", "label"), ("gap", "similarity"), ("tsne", "modality")):
        app = visit(root, "map", points="all", view=view, colour=colour, selection=word)
        assert app.dataframe[0].value["id"].tolist() == ["item-12"]
        assert len(app.get("plotly_chart")) == (view == "tsne")  # a nonlinear picture is a sample
        trust = [float(each.value) for each in app.metric if each.label.startswith("trustworthiness")]
        assert len(trust) == (view == "tsne")
        assert all(0.5 < value <= 1 for value in trust)


def test_words_overrule_an_older_lasso(visit, folder, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(folder, root)
    app = visit(root, "map")
    app.session_state["map"] = {"selection": {"points": [{"customdata": [0, 3]}]}}
    app.run()
    app.text_input(key="pick").set_value("item-20").run()
    assert app.dataframe[0].value["id"].tolist() == ["item-20", "item-20"]  # one of each side


def test_an_upload_is_encoded_and_finds_its_neighbours_through_a_map(visit, tmp_path):
    sight, sound = Toy(world="sight"), Toy(world="sound")
    words = [f"a {colour} {pitch} thing {n}" for n, (colour, pitch) in enumerate(product(COLOURS, PITCHES))]
    for toy, name in ((sight, "sight"), (sound, "sound")):
        rows = Embeddings(toy.encode(words, "text"), ids=words, space=toy.space(), modality="text")
        write_embeddings(rows, tmp_path / f"{name}.space", recipe=toy.recipe())
    sides = [open_embeddings(tmp_path / f"{name}.space") for name in ("sight", "sound")]
    save_alignment(fit(*sides, method="ridge", test=0).alignment, tmp_path / "ridge.alignment")
    app = visit(tmp_path, "query", source="sight.space", target="sound.space")
    red = io.BytesIO()
    Image.new("RGB", (32, 32), (210, 0, 0)).save(red, "PNG")
    app.file_uploader(key="brought").upload("red.png", red.getvalue(), "image/png").run()
    assert not app.exception
    assert "asked: red.png  (image)" in said(app)
    assert app.dataframe[0].value["id"].head(3).str.contains("red").all()
    app.file_uploader(key="brought").upload("x.png", b"<img src=x onerror=alert(1)>\x1b", "image/png").run()
    assert "no picture, no sound and no text" in said(app)
    tone = io.BytesIO()
    soundfile.write(tone, np.zeros(800), 8000, format="WAV")
    app.file_uploader(key="brought").upload("a.wav", tone.getvalue(), "audio/wav").run()
    assert "cannot encode audio here" in " ".join(each.value for each in app.error).replace("\\", "")
