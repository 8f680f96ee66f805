import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space
from alignkit.workflows.deploying import check_deployable, deployment_gap, deployment_sentence


def rows(shift, seed, name="both"):
    rng = np.random.default_rng(seed)
    return Embeddings(rng.normal(size=(90, 5)) + shift, space=Space(5, name))


@pytest.fixture(scope="module")
def turned():
    texts = rows([4, 0, 0, 0, 0], 0)
    fitted = Procrustes().fit(texts.array(), texts.array()[:, ::-1])
    return Alignment("procrustes", fitted, Space(5, "both"), Space(5, "there")), texts


def test_rows_of_another_modality_are_told_and_the_map_keeps_their_gap(turned):
    alignment, texts = turned
    images = rows([0, 4, 0, 0, 0], 1)
    gap = deployment_gap(alignment, texts, images)
    expected = np.linalg.norm(
        np.subtract(
            *(
                (side.array() / np.linalg.norm(side.array(), axis=1)[:, None]).mean(0)
                for side in (texts, images)
            )
        )
    )
    before, after = (gap.sections[name]["centroid_distance"] for name in ("source", "mapped"))
    assert before.value == pytest.approx(expected)
    assert after.value == pytest.approx(before.value, rel=0.1)  # a rotation closes no gap
    assert gap.sections["source"]["linear_separability"].value > 0.95
    said = deployment_sentence(gap, "texts", "images")
    assert said.startswith("images is not like texts")
    assert f"{expected:.2f}" in said
    assert "\n" not in said


def test_rows_of_the_same_modality_are_not_suspected(turned):
    alignment, texts = turned
    gap = deployment_gap(alignment, texts, rows([4, 0, 0, 0, 0], 2))
    assert gap.sections["source"]["linear_separability"].value < 0.65
    assert deployment_sentence(gap, "texts", "more").startswith("more lies where texts does")


def test_rows_of_another_space_are_refused(turned):
    alignment, texts = turned
    with pytest.raises(SpaceMismatchError):
        deployment_gap(alignment, texts, rows(0, 1, "elsewhere"))
    with pytest.raises(SpaceMismatchError, match=r"holds rows of elsewhere .* fitted to rows of both"):
        check_deployable(texts, rows(0, 1, "elsewhere"))


def test_the_very_rows_of_the_fit_are_no_rows_to_deploy_on(turned):
    _, texts = turned
    check_deployable(texts, rows([4, 0, 0, 0, 0], 2))
    with pytest.raises(DataError, match="that the map is fitted to"):
        check_deployable(texts, texts)
