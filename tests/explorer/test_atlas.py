import numpy as np
import pandas as pd
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


def test_the_file_has_the_types_that_embedding_atlas_0_26_was_seen_to_read(folder, tmp_path):
    """Its server was run on such a file: these types it showed, and by these steps it reads neighbours.

    It numbers rows from 0 as ``__row_index__``, so no column may have that name; ``neighbors.ids`` are those
    numbers. Its graph measures stack the lists of all rows, so each row has as many.
    """
    sides = [open_embeddings(folder / name) for name in ("pictures.space", "sounds.space")]
    export_atlas(sides, tmp_path / "a.parquet", alignment=load_alignment(folder / "procrustes.alignment"))
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "x": "double",
        "y": "double",
        "id": "string",
        "modality": "string",
        "label": "string",
        "caption": "string",
        "neighbors": "struct<ids: list<element: int64>, distances: list<element: double>>",
    }
    frame = pd.read_parquet(tmp_path / "a.parquet")  # as its loader does
    frame["__row_index__"] = range(len(frame))
    ids, far = (np.stack([np.array(row[key]) for row in frame["neighbors"]]) for key in ("ids", "distances"))
    assert ids.shape == far.shape == (120, 15)
    named = frame.set_index("__row_index__")["id"].to_numpy()[ids]
    crossing = frame["modality"].to_numpy()[ids] != frame["modality"].to_numpy()[:, None]
    found = ((named == frame["id"].to_numpy()[:, None]) & crossing).any(axis=1)
    assert found.mean() > 0.9  # partners stand among the nearest
    assert np.isfinite(frame[["x", "y"]].to_numpy()).all()
    assert far.min() >= -1e-12
