import numpy as np


def test_judge_prints_the_embedder_n_and_intervals_beside_every_score(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    real = rng.normal(size=(60, 6))
    np.save(tmp_path / "real.npy", real)
    np.save(tmp_path / "made.npy", real[:50] + 1.5)
    ran = alignkit("judge", "real.npy", "made.npy")
    assert ran.code == 0, ran.err
    assert "embedder: an unnamed space (6 dimensions); rows: 60 reference, 50 generated" in ran.out
    assert ran.out.count("above") == 2  # fad and kad, above what one distribution gives
    assert "clap_score did not judge" in ran.err
    told = alignkit("judge", "real.npy", "made.npy", "--paired", "--judges", "clap_score", "--json").json
    assert told["schema"] == "alignkit.judge/1"
    assert told["judges"]["clap_score"]["n"] == 50
    assert told["context"]["judges"]["clap_score"]["interval"].startswith("percentile bootstrap")


def test_the_report_is_written_once_and_bad_requests_are_refused(alignkit, tmp_path):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", np.concatenate([rows[:1], rows[1:] + 1]))
    first = alignkit("judge", "a.npy", "b.npy", "--judges", "kad", "--out", "x.report.json")
    assert first.code == 0, first.err
    assert "warning: 1 of 20 rows of b.npy are, to the last bit, rows of a.npy" in first.err
    alignkit("judge", "a.npy", "a.npy").refused("a.npy and a.npy hold the same rows")
    alignkit("judge", "a.npy", "b.npy", "--out", "x.report.json").refused("exists already")
    alignkit("judge", "a.npy", "b.npy", "--judges", "fid").refused("no judge named 'fid'", "fad")
    alignkit("judge", "a.npy", "b.npy", "--judges", "fad_inf").refused("fad_inf cannot judge")
