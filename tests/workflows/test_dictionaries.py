from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError
from alignkit.spaces import Embeddings, Space
from alignkit.workflows import Protocol, dictionary_table, evaluate_dictionary


@pytest.fixture(scope="module")
def words(data: Path) -> tuple[Embeddings, Embeddings]:
    with np.load(data / "bilingual" / "m30k_vecs_en_de.npz") as held:
        return tuple(
            Embeddings(
                held[f"{code}_vecs"].astype(np.float32),
                ids=held[f"{code}_words"].astype(str).tolist(),
                space=Space(300, code),
                name=code,
            )
            for code in ("en", "de")
        )


def dictionary(data: Path, part: str) -> pa.Table:
    """Return a part of the dictionary in lower case, as the vectors have their words."""
    with (data / "bilingual" / f"yacle.{part}.en-de.tsv").open(encoding="utf-8") as lines:
        return dictionary_table(line.lower() for line in lines)


@pytest.fixture(scope="module")
def alignment(words, data: Path) -> Alignment:
    source, target = words
    rows = [{name: i for i, name in enumerate(side.ids.to_pylist())} for side in words]
    train = dictionary(data, "train.freq.5k").to_pylist()
    links = [(rows[0].get(p["source"]), rows[1].get(p["target"])) for p in train]
    links = np.array([link for link in links if None not in link])
    fitted = Procrustes().fit(source.take(links[:, 0]), target.take(links[:, 1]))
    return Alignment("procrustes", fitted, source.space, target.space)


def unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_precision_is_what_whole_matrices_in_numpy_give(words, alignment, data: Path):
    source, target = words
    table = dictionary(data, "test.freq.2k")
    found = evaluate_dictionary(source, target, table, alignment=alignment, any_size=True)
    S, T = unit(alignment.project_source(source)[:]), unit(alignment.project_target(target)[:])
    cosines = S @ T.T
    scaled = 2 * cosines - np.sort(cosines, axis=1)[:, -10:].mean(axis=1)[:, None]
    scaled -= np.sort(cosines, axis=0)[-10:].mean(axis=0)
    names = [side.ids.to_pylist() for side in words]
    translations: dict[str, set[int]] = {}
    for pair in table.to_pylist():
        if pair["source"] in set(names[0]) and pair["target"] in names[1]:
            translations.setdefault(pair["source"], set()).add(names[1].index(pair["target"]))
    for section, scores in (("nearest", cosines), ("csls", scaled)):
        order = {word: np.argsort(-scores[names[0].index(word)])[:10] for word in translations}
        for k in (1, 5, 10):
            share = np.mean([bool(wanted & set(order[word][:k])) for word, wanted in translations.items()])
            assert found.report.sections[section][f"hit@{k}"].value == pytest.approx(share, abs=1e-9)
    nearest, csls = (found.report.sections[name]["hit@1"] for name in ("nearest", "csls"))
    assert nearest.value < csls.value  # hubs held down
    about = found.report.context["dictionary"]
    assert nearest.n == about["covered_words"] == len(translations)
    assert about["covered_words"] + about["without_vector"] == about["source_words"]


def test_csls_is_ranked_without_the_map_too(words, data: Path):
    """Two unrelated spaces of one width score near chance by either rule."""
    source, target = (Embeddings(side.vectors, ids=side.ids, name=side.name) for side in words)
    found = evaluate_dictionary(source, target, dictionary(data, "test.freq.2k"), any_size=True).report
    for section in found.sections.values():
        assert section["hit@10"].value < 0.05


def test_shuffled_vocabularies_and_dictionaries_change_nothing(words, alignment, data: Path):
    table = dictionary(data, "test.freq.2k")
    plain = Protocol(metrics=("hit@1", "mrr"), resamples=0)
    one = evaluate_dictionary(*words, table, alignment=alignment, any_size=True, protocol=plain)
    rng = np.random.default_rng(4)
    turned = [side.select(rng.permutation(len(side))) for side in words]
    table = table.take(pa.array(rng.permutation(len(table))))
    other = evaluate_dictionary(*turned, table, alignment=alignment, any_size=True, protocol=plain)
    for section, scores in one.report.sections.items():
        for name, score in scores.items():
            assert other.report.sections[section][name].value == pytest.approx(score.value, abs=1e-6)


def hubs(seed: int) -> tuple[Embeddings, Embeddings, pa.Table]:
    """Return 60 words, their translations beside them, and as targets five hubs near to everything."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=8) * 3
    x = rng.normal(size=(60, 8)) + centre
    y = np.vstack([x + rng.normal(size=x.shape) * 0.9, centre + rng.normal(size=(5, 8)) * 0.1])
    source = Embeddings(x, ids=[f"s{i}" for i in range(60)])
    target = Embeddings(y, ids=[f"t{i}" for i in range(65)])
    return source, target, dictionary_table((f"s{i}", f"t{i}") for i in range(60))


def test_csls_finds_more_than_the_nearest_word_where_hubs_are_planted():
    gains = []
    for seed in range(5):
        found = evaluate_dictionary(*hubs(seed), any_size=True).report.sections
        gains.append(found["csls"]["hit@1"].value - found["nearest"]["hit@1"].value)
    assert np.mean(gains) > 0.05


def test_vocabularies_of_another_size_are_refused_unless_asked_for():
    with pytest.raises(
        DataError, match=r"60 source words where it has 200,000.*dictionary has 60 source words"
    ):
        evaluate_dictionary(*hubs(0))
    about = evaluate_dictionary(*hubs(0), any_size=True).report.context["named_protocol"]
    assert not about["comparable"]
    assert len(about["differs"]) == 3


def test_words_without_a_vector_are_left_out_and_counted():
    source, target, table = hubs(1)
    more = pa.concat_tables([table, dictionary_table(["s0 t1", "s0 t1", "unknown t3", "s4 nowhere"])])
    plain = evaluate_dictionary(source, target, table, any_size=True)
    found = evaluate_dictionary(source, target, more, any_size=True)
    assert found.report.context["dictionary"] == {
        "pairs": 61,
        "source_words": 61,
        "covered_words": 60,
        "without_vector": 1,
        "repeated_pairs": 1,
    }
    hits = [one.tables["csls"]["hit@1"].to_numpy()[1:] for one in (plain, found)]
    assert hits[0].tolist() == hits[1].tolist()  # only s0 has another translation now


def test_what_cannot_be_scored_is_refused():
    source, target, table = hubs(2)
    with pytest.raises(DataError, match="no pair of the dictionary"):
        evaluate_dictionary(target, source, table, any_size=True)
    with pytest.raises(DataError, match="no column 'target'"):
        evaluate_dictionary(source, target, table.select(["source"]), any_size=True)
    with pytest.raises(ParameterError, match="neighbours is 61"):
        evaluate_dictionary(source, target, table, any_size=True, neighbours=61)
    with pytest.raises(ParameterError, match="by cosine"):
        evaluate_dictionary(source, target, table, any_size=True, protocol=Protocol(similarity="dot"))


def test_a_line_holds_two_words():
    lines = ["dog Hund\n", "\n", "New York\tNeu York\n"]
    assert dictionary_table(lines)["target"].to_pylist() == ["Hund", "Neu York"]
    with pytest.raises(DataError, match="line 2 of the dictionary holds 3 words"):
        dictionary_table(["a b", "a b c"])
