import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def test_gap_measures_a_planted_shift_and_none_where_there_is_none(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(200, 16))
    np.save(tmp_path / "x.npy", base + 0.1 * rng.normal(size=base.shape))
    np.save(tmp_path / "same.npy", base + 0.1 * rng.normal(size=base.shape))
    np.save(tmp_path / "far.npy", base + 4 * np.eye(16)[0])
    near, far = (alignkit("gap", "x.npy", other, "--json").json for other in ("same.npy", "far.npy"))
    assert near["schema"] == "alignkit.gap/1"
    assert set(near["measures"]) >= {
        "centroid_distance",
        "frechet_distance.covariance",
        "linear_separability",
        "mean_paired_cosine",
        "relative_modality_gap",
        "same_modality_share",
    }
    for score in near["measures"].values():
        assert score["low"] <= score["value"] <= score["high"]
        assert score["chance_low"] <= score["chance"] <= score["chance_high"]
    assert near["measures"]["centroid_distance"]["value"] < 0.1
    assert far["measures"]["centroid_distance"]["value"] > 0.5
    assert near["measures"]["linear_separability"]["value"] < 0.6
    assert far["measures"]["linear_separability"]["value"] > 0.95
    assert far["measures"]["centroid_distance"]["value"] > far["measures"]["centroid_distance"]["chance_high"]


def test_unpaired_sets_are_measured_by_what_needs_no_pairs(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(150, 8)))
    np.save(tmp_path / "y.npy", rng.normal(size=(90, 8)))
    ran = alignkit("gap", "x.npy", "y.npy", "--unpaired", "--json")
    assert ran.code == 0, ran.err
    assert "mean_paired_cosine" not in ran.json["measures"]
    assert "mean_paired_cosine" in ran.json["context"]["protocol"]["not_measured"]
    assert "mean_paired_cosine was not measured" in ran.err
    assert ran.json["measures"]["centroid_distance"]["n"] >= 90


def test_a_map_closes_a_planted_gap(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(200, 16))
    np.save(tmp_path / "x.npy", base)
    np.save(tmp_path / "y.npy", base + 4 * np.eye(16)[0])
    assert alignkit("fit", "x.npy", "y.npy", "--out", "a.alignment").code == 0
    answer = alignkit("gap", "x.npy", "y.npy", "--alignment", "a.alignment", "--json").json
    before, after = (answer[section]["centroid_distance"]["value"] for section in ("before", "measures"))
    assert after < 0.2 * before


def test_bad_input_is_refused_with_one_sentence(alignkit, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((5, 8)))
    np.save(tmp_path / "y.npy", np.ones((5, 9)))
    alignkit("gap", "x.npy", "y.npy").refused("8 dimensions", "9")
    alignkit("gap", "x.npy", "x.npy", "--measures", "centroid_distence").refused(
        "Did you mean 'centroid_distance'"
    )


def test_unpaired_rows_cannot_have_pairs(alignkit, rotated, tmp_path):
    (tmp_path / "pairs.csv").write_text("source,target\n1,1\n2,2\n")
    alignkit("gap", *rotated, "--unpaired", "--pairs", "pairs.csv").refused("contradict")


def test_the_table_says_on_which_side_of_its_null_band_a_value_lies(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(200, 8)))
    np.save(tmp_path / "y.npy", rng.normal(size=(200, 8)) + 2 * np.eye(8)[0])
    out = alignkit("gap", "x.npy", "y.npy", "--measures", "centroid_distance,linear_cka").out
    lines = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert "above" in lines["centroid_distance"]
    assert "within" in lines["linear_cka"]
    assert "at 50:" in lines["centroid_distance"]
    assert "at 50:" not in alignkit("gap", "x.npy", "y.npy", "--no-curve").out


def test_a_figure_is_written_once_and_a_sample_is_said(alignkit, rotated):
    ran = alignkit("gap", *rotated, "--figure", "gap.png", "--measures", "mmd", "--sample", "30")
    assert ran.code == 0, ran.err
    assert "mmd: a seeded sample of 30 rows a side" in ran.err
    assert (rotated[0].parent / "gap.png").read_bytes().startswith(b"\x89PNG")
    alignkit("gap", *rotated, "--figure", "gap.png").refused("gap.png", "--force")
    alignkit("gap", *rotated, "--figure", "gap.jpg").refused(".svg nor .png")


def test_options_of_the_sweep_and_of_the_report_are_told_apart(alignkit, rotated):
    alignkit("gap", *rotated, "--sweep", "--sample", "30").refused("--sample does not go with --sweep")
    alignkit("gap", *rotated, "--fixes", "shift").refused("--fixes belongs to --sweep")
    alignkit("gap", *rotated, "--labels", "kind").refused("no metadata column 'kind'")


def test_what_was_asked_for_and_cannot_be_measured_is_an_error(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("x", "y"):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(30, 4)))
        np.save(tmp_path / f"{name}1.npy", rng.normal(size=(1, 4)))
    alignkit("gap", "x.npy", "y.npy", "--unpaired", "--measures", "mean_paired_cosine").refused(
        "mean_paired_cosine cannot be measured", "not paired"
    )
    alignkit("gap", "x.npy", "y.npy", "--unpaired", "--measures", "cone,linear_cka,svcca").refused(
        "linear_cka cannot be measured, nor can 1 more"
    )
    alignkit("gap", "x1.npy", "y1.npy").refused("has 1")


def test_a_group_makes_its_pairs_one_item(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("x", "y"):
        rows = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=240)), 4)
        clip = [f"clip{place // 2}" for place in range(60)]
        ids = list(map(str, range(60)))
        pq.write_table(pa.table({"id": ids, "clip": clip, "embedding": rows}), tmp_path / f"{name}.parquet")
    words = ("x.parquet", "y.parquet", "--measures", "centroid_distance", "--json")
    found = [alignkit("gap", *words, *more).json["measures"] for more in ((), ("--group", "clip"))]
    assert [one["centroid_distance"]["n"] for one in found] == [60, 30]
    alignkit("gap", *words, "--unpaired", "--group", "clip").refused("--group", "--unpaired")
