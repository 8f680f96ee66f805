"""The guard finds what was planted, refuses what was declared, and is silent on clean splits of real data."""

import csv
import json

import numpy as np
import pytest

from alignkit.errors import PairingError
from alignkit.formats import open_embeddings
from alignkit.leaks import check_split
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings


def world(n=200, d=48, seed=0, **options):
    """Return n pairs of unrelated rows; nothing repeats."""
    rng = np.random.default_rng(seed)
    rows = np.stack([np.arange(n)] * 2, axis=1)
    return Pairs(Embeddings(rng.normal(size=(n, d)), name="s"), Embeddings(rng.normal(size=(n, d)), name="t"),
                 rows, **options)  # fmt: skip


def halves(pairs, test=0.3, seed=0):
    """Split links at random, whatever belongs together."""
    chosen = np.random.default_rng(seed).random(len(pairs)) < test
    return pairs.subset(~chosen), pairs.subset(chosen)


def changed(embeddings, rows):
    return Embeddings(rows, name=embeddings.name)


def test_a_split_without_leaks_is_called_clean():
    leaks = check_split(*halves(world()))
    assert not leaks.any
    assert leaks.sentences() == []
    assert (leaks.touched, leaks.groups, leaks.source.near, leaks.target.copies) == (0, 0, 0, 0)
    assert leaks.source.compared == leaks.source.rows == leaks.pairs


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("seed", range(3))
def test_planted_copies_and_near_copies_are_counted_apart(side, seed):
    pairs = world(seed=seed)
    rows = getattr(pairs, side).array().copy()
    rows[150:160] = rows[:10]
    rows[160:180] = 3 * rows[10:30] + 0.1 * np.random.default_rng(seed).normal(size=(20, 48))
    pairs = Pairs(**{
        "source": pairs.source, "target": pairs.target, "links": pairs.links,
        side: changed(getattr(pairs, side), rows),
    })  # fmt: skip
    leaks = check_split(pairs.subset(np.arange(150)), pairs.subset(np.arange(150, 200)))
    found, other = (leaks.source, leaks.target) if side == "source" else (leaks.target, leaks.source)
    assert (found.shared, found.copies, found.near, found.rows) == (0, 10, 20, 50)
    assert (other.shared, other.copies, other.near) == (0, 0, 0)
    assert (leaks.touched, leaks.pairs) == (30, 50)
    told = " ".join(leaks.sentences())
    assert (
        f"{side[0]}: of 50 held-out rows, 10 are byte-identical to a training row, 20 nearly coincide" in told
    )
    assert "30 of 50 held-out pairs" in told
    assert "--group-duplicates" in told
    assert json.loads(json.dumps(leaks.to_json()))[side]["near"] == 20


def test_pairs_that_leak_on_both_sides_are_counted_once():
    pairs = world()
    rows = [side.array().copy() for side in (pairs.source, pairs.target)]
    for side in rows:
        side[190:] = side[:10]
    pairs = Pairs(Embeddings(rows[0]), Embeddings(rows[1]), pairs.links)
    leaks = check_split(pairs.subset(np.arange(180)), pairs.subset(np.arange(180, 200)))
    assert (leaks.source.copies, leaks.target.copies, leaks.touched) == (10, 10, 10)


def test_five_captions_per_image_split_by_pair_are_refused_with_the_mend():
    links = np.stack([np.repeat(np.arange(40), 5), np.arange(200)], axis=1)
    pairs = world()
    captions = Pairs(pairs.source, pairs.target, links)
    with pytest.raises(PairingError, match=r"puts \d+ item\(s\) of s on both sides.*five captions per image"):
        check_split(*halves(captions))
    leaks = check_split(*halves(captions), refuse=False)
    assert leaks.source.shared == leaks.source.rows > 20
    assert leaks.touched == leaks.pairs
    assert not check_split(*captions.split(0.3)).any


def test_a_declared_group_torn_apart_is_refused_and_can_be_counted():
    grouped = world(groups=np.arange(200) // 4)
    train, test = grouped.subset(np.arange(102)), grouped.subset(np.arange(102, 200))
    with pytest.raises(
        PairingError, match=r"tears 1 group\(s\) apart: .*put all links of an item or group on one side"
    ):
        check_split(train, test)
    leaks = check_split(train, test, refuse=False)
    assert (leaks.groups, leaks.touched) == (1, 2)
    assert "1 declared group(s) have links on both sides" in leaks.sentences()[0]
    assert not check_split(grouped.subset(np.arange(100)), grouped.subset(np.arange(100, 200))).any


def test_grouping_duplicates_leaves_nothing_to_warn_of():
    pairs = world()
    rows = pairs.source.array().copy()
    rows[100:] = rows[:100] + 0.05 * np.random.default_rng(1).normal(size=(100, 48))
    pairs = Pairs(Embeddings(rows), pairs.target, pairs.links)
    assert check_split(*pairs.split(0.3)).source.near > 20
    mended = pairs.with_duplicates_grouped()
    for seed in range(3):
        assert not check_split(*mended.split(0.3, seed)).any


def test_items_of_two_files_are_known_by_their_ids():
    rng = np.random.default_rng(0)
    files = [Embeddings(rng.normal(size=(30, 40)), ids=ids, name=name)
             for name, ids in (("a", [f"i{row}" for row in range(30)]),
                               ("b", [f"i{row}" for row in range(25, 55)]))]  # fmt: skip
    train, test = (Pairs(side, Embeddings(rng.normal(size=(30, 40))), np.stack([np.arange(30)] * 2, axis=1))
                   for side in files)  # fmt: skip
    with pytest.raises(PairingError, match=r"puts 5 item\(s\) of b on both sides: row 0 \(id 'i25'\)"):
        check_split(train, test)
    assert check_split(train, test, refuse=False).source.shared == 5
    bare = [Pairs(Embeddings(side.array()), pairs.target, pairs.links)
            for side, pairs in zip(files, (train, test), strict=True)]  # fmt: skip
    assert not check_split(*bare).any


def test_a_check_of_a_sample_says_so():
    leaks = check_split(*halves(world()), limit=1000)
    assert leaks.source.compared < leaks.source.rows
    assert "near-duplicates were looked for among" in leaks.sentences()[0]
    assert not leaks.any


def test_a_part_without_links_is_refused():
    pairs = world()
    with pytest.raises(PairingError, match="share 0 pair"):
        check_split(pairs, pairs.subset(np.empty(0, int)))


def by_row(*paths):
    return Pairs.by_id(*(open_embeddings(path) for path in paths))


def words(data, seed):
    with np.load(data / "bilingual" / "m30k_vecs_en_de.npz") as held:
        sides = [held["en_vecs"], held["de_vecs"]]
    rows = np.stack([np.arange(5000)] * 2, axis=1)
    return halves(Pairs(Embeddings(sides[0]), Embeddings(sides[1]), rows), seed=seed)


def esc50(data, fold):
    """Return the clips by the folds of their makers, who kept cuts of one recording together."""
    with (data / "clap_esc50" / "metadata.csv").open() as file:
        folds = np.array([int(row["fold"]) for row in csv.DictReader(file)])
    rows = open_embeddings(data / "clap_esc50" / "audio_embeddings.npy")
    pairs = Pairs(rows, rows, np.stack([np.arange(len(rows))] * 2, axis=1))
    return pairs.subset(folds != fold), pairs.subset(folds == fold)


CLEAN = {
    "LVIS text and images": lambda data, seed: halves(
        by_row(*(data / "clip_lvis_text" / f"lvis_{part}.npy"
                 for part in ("rn50_text", "vitb32_image_exemplars_avg5"))), seed=seed),
    "LVIS text and descriptions": lambda data, seed: halves(
        by_row(*(data / "clip_lvis_text" / f"lvis_vitb32_text{part}.npy" for part in ("", "_gpt3desc"))),
        seed=seed),
    "COCO names": lambda data, seed: halves(
        by_row(*(data / "clip_classnames_text" / f"coco80_{part}_text.npy" for part in ("vitb32", "rn50"))),
        seed=seed),
    "words": words,
    "ESC-50 by its folds": lambda data, seed: esc50(data, seed + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("seed", range(5))
def test_clean_splits_of_real_data_raise_no_alarm(data, name, seed):
    leaks = check_split(*CLEAN[name](data, seed))
    assert leaks.sentences() == []


def test_real_copies_of_clips_are_found(data):
    folder = data / "clap_audiocaps497"
    pairs = by_row(*(folder / f"{side}_embeddings.npy" for side in ("audio", "text")))
    train, test = halves(pairs)
    known = {row.tobytes() for row in train.vectors()[0]}
    copies = sum(row.tobytes() in known for row in test.vectors()[0])
    leaks = check_split(train, test)
    assert leaks.source.copies == copies > 20
    assert check_split(*pairs.split(0.3)).source.copies == 0
