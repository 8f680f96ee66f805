import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.retrieval.hubness import measure_hubness
from alignkit.spaces import Embeddings
from alignkit.workflows import Protocol, evaluate, with_hubness


def test_a_planted_hub_is_named_and_its_direction_alone_is_skewed():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 300))
    queries = Embeddings(x + 2, ids=[f"q{i}" for i in range(200)])
    gallery = Embeddings(
        np.vstack([np.ones(300), x[1:]]), ids=[f"g{i}" for i in range(200)]
    )  # the first item stands where all queries point
    pairless = evaluate(queries, Embeddings(gallery.array(), ids=queries.ids), protocol=Protocol(resamples=0))
    found = with_hubness(pairless, queries, gallery, k=5).report
    assert found.context["hubness"]["forward"][0] == {"id": "g0", "found_by": 200}
    forward, backward = (found.sections[f"hubness_{side}"] for side in ("forward", "backward"))
    assert set(forward) == {"skewness", "antihub_share", "gini", "robin_hood", "largest_share"}
    assert forward["skewness"].value > 5 > backward["skewness"].value
    assert forward["largest_share"].value == pytest.approx(0.2)
    assert forward["gini"].value == measure_hubness(queries.vectors, gallery.vectors, k=5).gini
    assert found.sections["forward"] == pairless.report.sections["forward"]
    with pytest.raises(ParameterError, match="k is 200"):
        with_hubness(pairless, queries, gallery, k=200)
