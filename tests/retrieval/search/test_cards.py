"""There is no graphics card here: a faiss that says it has two does their work on the processor.

It holds our side to what the interface of faiss asks for: which indexes go to a card, on which cards, in
which form, how deep a card may look, and what is done where it refuses. It proves nothing about a card.
"""

import builtins
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from alignkit.errors import DataError, MissingExtraError, ParameterError
from alignkit.retrieval.search import _building, cards
from alignkit.retrieval.search.cards import Cards, cards_of, on_cards
from alignkit.retrieval.search.index import build_index

faiss = pytest.importorskip("faiss")
HERE = [name for name in ("StandardGpuResources",) if hasattr(faiss, name)]


def rows(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)


class OnCard:
    """What a card does with an index, done by the index: no parameters, and nothing deeper than its cap."""

    def __init__(self, index, log):
        self.index, self.log = index, log

    def search(self, queries, k):
        assert k <= 2048
        assert queries.flags.c_contiguous
        self.log.searched += 1
        return self.index.search(queries, k)

    def __getattr__(self, name):
        return getattr(self.index, name)


@pytest.fixture
def two_cards(monkeypatch):
    """Say to every import of faiss that it has two cards, and write down what is asked of them."""
    log = SimpleNamespace(moved=[], searched=0, probed=[])
    fake = ModuleType("faiss")
    fake.__getattr__ = lambda name: getattr(faiss, name)

    def to_cards(index, co=None, gpus=None, ngpu=-1):
        if isinstance(faiss.downcast_index(index), faiss.IndexPQ):
            raise RuntimeError("Error in clone_Index: This index type is not implemented on GPU.")
        log.moved.append((tuple(gpus), co.useFloat16, co.shard))
        return OnCard(faiss.clone_index(index), log)

    class Parameters:
        def set_index_parameter(self, there, name, value):
            log.probed.append(value)
            faiss.ParameterSpace().set_index_parameter(there.index, name, value)

    fake.StandardGpuResources, fake.get_num_gpus = object, lambda: 2
    fake.GpuMultipleClonerOptions = SimpleNamespace
    fake.GpuParameterSpace, fake.index_cpu_to_gpus_list = Parameters, to_cards
    fake.index_gpu_to_cpu = lambda there: faiss.clone_index(there.index)
    monkeypatch.setitem(sys.modules, "faiss", fake)
    return log


@pytest.mark.parametrize("kind", ["ivf", "IVF8,PQ4x4", "OPQ4,IVF8,PQ4x4", "Flat"])
def test_cards_propose_and_the_answer_is_that_of_the_processor(two_cards, kind):
    gallery, queries = rows(600), rows(40, 1)
    plain = build_index(gallery, kind=kind, hub_correction="none")
    assert two_cards.moved == []
    with on_cards("cuda:1,0", float16=True):
        index = build_index(gallery, kind=kind, hub_correction="none")
        first = index.search(queries, 5)
        again = index.search(queries, 5)
    # learned on one card with all digits; then the parts of the copy that proposes, moved once
    assert two_cards.moved == [((1,), False, False), ((1, 0), True, True)]
    assert two_cards.searched > 2
    assert index.settings == plain.settings
    for hits in (first, again, index.search(queries, 5)):
        assert np.array_equal(hits.rows, plain.search(queries, 5).rows)
        assert np.array_equal(hits.scores, plain.search(queries, 5).scores)


def test_what_a_card_cannot_keep_is_searched_on_the_processor(two_cards):
    gallery, queries = rows(3000), rows(3, 1)
    index = build_index(gallery, kind="ivf", hub_correction="none", recall=0.5)
    with on_cards("cuda"):
        index.search(queries, 10)
        before = two_cards.searched
        deep = index.search(queries, 2500)
    assert (before, two_cards.searched) == (1, 1)
    assert two_cards.probed == [index.settings["effort"]]
    assert np.array_equal(deep.rows, index.search(queries, 2500).rows)
    assert not cards.can_keep(cards.CAP + 1, 1)
    assert not cards.can_keep(1, cards.CAP + 1)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("flat", "a flat index is exact and searched on the processor"),
        ("hnsw", "this index is a graph"),
        ("PCA8,HNSW8", "this index is a graph"),
        ("PQ4x4", "cannot hold this index on a graphics card .it said: .*not implemented on GPU"),
    ],
)
def test_kinds_that_no_card_searches_are_refused(two_cards, kind, words):
    with on_cards("cuda"), pytest.raises(ParameterError, match=words):
        build_index(rows(300), kind=kind, hub_correction="none")
    kept = build_index(rows(300), kind=kind, hub_correction="none")
    with on_cards("cuda"), pytest.raises(ParameterError, match=words):
        kept.search(rows(2, 1), 3)


def test_a_card_without_room_is_a_fault_of_the_data(two_cards, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("Error in StandardGpuResourcesImpl::allocMemory: cudaMalloc error out of memory")

    monkeypatch.setattr(sys.modules["faiss"], "index_cpu_to_gpus_list", full)
    with on_cards("cuda:0,1"), pytest.raises(DataError, match="too little memory for this index"):
        build_index(rows(300), kind="ivf", hub_correction="none")


def test_cards_that_are_not_there_are_refused(two_cards, monkeypatch):
    with pytest.raises(ParameterError, match="faiss sees 2: the last is cuda:1"), on_cards("cuda:0,2"):
        pass
    monkeypatch.setattr(sys.modules["faiss"], "get_num_gpus", lambda: 0)
    with pytest.raises(ParameterError, match="faiss sees no graphics card"), on_cards("cuda"):
        pass
    assert cards.current_cards() is None


@pytest.mark.skipif(bool(HERE), reason="the faiss that is installed here can use graphics cards")
def test_the_faiss_for_processors_is_refused_with_the_command_that_replaces_it():
    with pytest.raises(MissingExtraError, match=r"pip install 'alignkit\[faiss-gpu\]'"), on_cards("cuda"):
        pass


def test_without_faiss_the_extra_for_cards_is_named(monkeypatch):
    real = builtins.__import__

    def missing(module, *args, **kwargs):
        if module == "faiss":
            raise ImportError(module)
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'alignkit\[faiss-gpu\]'"), on_cards("cuda"):
        pass
    with on_cards("cpu"):
        assert cards.current_cards() is None


def test_devices_are_read_as_they_are_written():
    assert cards_of("cpu") is None
    assert cards_of("cuda") == Cards((0,))
    assert cards_of("cuda:3,1", float16=True) == Cards((3, 1), float16=True)
    for word in ("gpu", "cuda:", "cuda:1,", "cuda:-1", "mps", ""):
        with pytest.raises(ParameterError, match="choose cpu, cuda, cuda:NUMBER"):
            cards_of(word)
    with pytest.raises(ParameterError, match="every card once"):
        cards_of("cuda:1,1")
    with pytest.raises(ParameterError, match="float16 is for rows on a graphics card"):
        cards_of("cpu", float16=True)


def test_an_index_is_filled_block_by_block_and_is_the_same(monkeypatch):
    whole = _building.build("IVF4,SQ8", rows(500))
    monkeypatch.setattr(_building, "BLOCK", 64)
    parted = _building.build("IVF4,SQ8", rows(500))
    assert np.array_equal(faiss.serialize_index(whole), faiss.serialize_index(parted))
