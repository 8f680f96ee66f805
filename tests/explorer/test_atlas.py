import numpy as np
import pyarrow.parquet as pq
import pytest

from alignkit import load_alignment, open_embeddings
from alignkit.errors import DataError
from alignkit.explorer.atlas import export_atlas


def test_a_row_a_point_with_its_words_and_its_neighbours(folder, tmp_path):
    sides = [open_embeddings(folder / name) for name in ("pictures.space", "sounds.space")]
    fitted = load_alignment(folder / "procrustes.alignment")
    assert export_atlas(sides, tmp_path / "a.parquet", alignment=fitted) == 120
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["x", "y", "id", "modality", "label", "caption", "neighbors"]
    assert table["modality"].to_pylist() == ["image"] * 60 + ["audio"] * 60
    ids, near = table["id"].to_pylist(), table["neighbors"].to_pylist()
    assert all(row not in one["ids"] and len(one["ids"]) == 15 for row, one in enumerate(near))
    assert all(np.all(np.diff(one["distances"]) >= 0) for one in near)
    partners = sum(ids[row] in [ids[n] for n in near[row]["ids"]] for row in range(60))
    assert partners > 45
    with pytest.raises(DataError, match="choose an alignment"):
        export_atlas(sides, tmp_path / "b.parquet")
