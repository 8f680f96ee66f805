"""The figures that a correct program finds on real embeddings (protocols: the data folder's README)."""

import numpy as np
import pytest

from alignkit.formats import open_embeddings
from alignkit.pairs import Pairs
from alignkit.workflows import Protocol, evaluate, fit, measure_gap

SEEDS = range(5)


def held_out(source, target, method, **params):
    """Return the mean over five seeds of held-out P@1, P@5 and MRR on a 70/30 split."""
    rows = []
    for seed in SEEDS:
        fitted = fit(
            source,
            target,
            method=method,
            test=0.3,
            seed=seed,
            params=params,
            metrics=("hit@1", "hit@5", "mrr"),
        )
        rows.append([score.value for score in fitted.report.sections["forward"].values()])
    return np.mean(rows, axis=0)


@pytest.mark.parametrize(
    ("source", "target", "method", "params", "expected", "tolerance"),
    [
        ("clip_lvis_text/lvis_rn50_text.npy", "clip_lvis_text/lvis_vitb32_image_exemplars_avg5.npy",
         "procrustes", {"normalize": "unit"}, (0.489, 0.712, 0.595), 0.025),
        ("clip_lvis_text/lvis_rn50_text.npy", "clip_lvis_text/lvis_vitb32_image_exemplars_avg5.npy",
         "procrustes", {}, (0.681, 0.910, 0.781), 0.025),
        ("clip_lvis_text/lvis_vitb32_text.npy", "clip_lvis_text/lvis_rn50_text.npy",
         "procrustes", {"normalize": "unit-center"}, (0.999, 1.0, 0.999), 0.003),
        ("clap_audiocaps497/audio_embeddings.npy", "clap_audiocaps497/text_embeddings.npy",
         "mean_shift", {}, (0.533, 0.896, 0.691), 0.04),
    ],
)  # fmt: skip
def test_held_out_retrieval_of_known_pairs(data, source, target, method, params, expected, tolerance):
    found = held_out(open_embeddings(data / source), open_embeddings(data / target), method, **params)
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_yamnet_to_clap_finds_the_clip(data):
    yamnet = open_embeddings(f"{data}/precomputed_real_features/esc10_yamnet.npz::emb", ids="files")
    names = [name.as_py().split("/")[-1].removesuffix(".ogg") for name in yamnet.ids]
    clips = (data / "clap_esc50" / "metadata.csv").read_text().splitlines()[1:]
    stems = {
        line.split(",")[0].removesuffix(".wav").rpartition("-")[0]: row for row, line in enumerate(clips)
    }
    clap = open_embeddings(data / "clap_esc50" / "audio_embeddings.npy")
    links = np.array([(row, stems[name]) for row, name in enumerate(names)])
    pairs = Pairs(yamnet, clap, links)
    found = []
    for seed in SEEDS:
        fitted = fit(yamnet, clap, pairs=pairs, test=0.3, seed=seed, params={"normalize": "unit-center"})
        found.append([fitted.report.sections["forward"][name].value for name in ("hit@1", "hit@5", "mrr")])
    np.testing.assert_allclose(np.mean(found, axis=0), (0.464, 0.864, 0.633), atol=0.045)


def test_audiocaps_without_a_map_and_its_ties(data):
    audio, text = (
        open_embeddings(data / "clap_audiocaps497" / f"{side}_embeddings.npy") for side in ("audio", "text")
    )
    expected = evaluate(audio, text).report.sections
    assert expected["forward"]["hit@1"].value == pytest.approx(0.264, abs=0.0005)
    assert expected["backward"]["hit@1"].value == pytest.approx(0.299, abs=0.0005)
    assert expected["backward"]["mrr"].value == pytest.approx(0.468, abs=0.0005)
    optimistic = evaluate(audio, text, protocol=Protocol(ties="optimistic")).report.sections
    assert optimistic["backward"]["hit@1"].value == pytest.approx(0.344, abs=0.0005)
    assert optimistic["backward"]["mrr"].value == pytest.approx(0.497, abs=0.0005)
    centred = evaluate(audio, text, center=True).report.sections
    assert centred["forward"]["hit@1"].value == pytest.approx(0.322, abs=0.0005)


def test_clip_pairs_of_mind_the_gap(data):
    images, captions = (open_embeddings(f"{data}/modality_gap/features_clip.npy::{side}") for side in (0, 1))
    pairs = Pairs.by_id(images, captions)
    measures = measure_gap(images, captions, pairs=pairs).sections["measures"]
    assert measures["centroid_distance"].value == pytest.approx(0.851, abs=0.0005)
    assert measures["relative_modality_gap"].value == pytest.approx(0.5915, abs=0.0005)
    assert measures["mean_paired_cosine"].value == pytest.approx(0.310, abs=0.0005)
    scores = evaluate(images, captions).report.sections
    assert scores["forward"]["hit@1"].value == pytest.approx(0.552, abs=0.0005)


def test_flickr_has_five_partners_per_picture(data):
    folder = data / "clip_flickr8k"
    images, captions = (open_embeddings(folder / f"{side}_embeddings.npy") for side in ("image", "text"))
    first = np.arange(0, 500, 5)
    links = np.stack([np.repeat(np.arange(100), 5), np.arange(500)], axis=1)
    pairs = Pairs(images.select(first), captions, links)
    report = evaluate(pairs.source, captions, pairs=pairs, metrics=("hit@5", "recall@5"))
    forward, backward = report.report.sections["forward"], report.report.sections["backward"]
    assert forward["hit@5"].value > forward["recall@5"].value, "hit and recall are two metrics"
    assert backward["hit@5"].value == backward["recall@5"].value, "with one positive they agree"
    assert (forward["hit@5"].n, backward["hit@5"].n) == (100, 500)
