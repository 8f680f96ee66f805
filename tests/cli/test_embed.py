import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from alignkit.encoders import ENCODERS, _openl3_net, _passt_net, passt
from alignkit.encoders._passt_net import Shape, passt_net
from alignkit.encoders.toy import Toy
from alignkit.formats import open_embeddings
from alignkit.media.audio import read_sound
from alignkit.workflows import embedding

Image = pytest.importorskip("PIL.Image")
RED, BLUE = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "b").mkdir(parents=True)
    for name, colour in (("a.png", RED), ("b/c.png", BLUE)):
        Image.new("RGB", (9, 6), colour).save(folder / name)
    return folder


def flat(colour: tuple[int, ...]) -> np.ndarray:
    return np.full((6, 9, 3), colour, np.uint8)


def test_a_folder_becomes_a_space_whose_ids_are_its_paths(alignkit, photos, tmp_path):
    (photos / "notes.md").write_text("none")
    ran = alignkit("embed", "photos", "--encoder", "toy", "--modality", "image", "--out", "p.space", "--json")
    assert ran.code == 0, ran.err
    space = Toy().space()
    assert ran.json == {
        "schema": "alignkit.embed/1",
        "written": "p.space",
        "rows": 2,
        "dim": 128,
        "space": "toy/sight",
        "revision": space.revision,
        "failed": 0,
        "failures": None,
        "ignored": 1,
        "ignored_films": 0,
        "resumed": 0,
    }
    assert ran.err == "note: 1 other file was ignored\n"
    rows = open_embeddings(tmp_path / "p.space")
    assert rows.ids.to_pylist() == ["a.png", "b/c.png"]
    np.testing.assert_array_equal(rows.array(), Toy().encode([flat(RED), flat(BLUE)], "image"))
    alignkit("embed", "photos", "--encoder", "toy", "--modality", "image", "--out", "p.space").refused(
        "--force"
    )


def test_a_bad_picture_is_listed_and_the_exit_code_is_four(alignkit, photos, tmp_path):
    (photos / "b" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    words = ("embed", "photos", "--encoder", "toy", "--modality", "image", "--out", "p.space")
    ran = alignkit(*words)
    assert ran.code == 4
    assert ran.out == "p.space: 2 x 128 of toy/sight\n"
    assert "1 item failed, listed in p.failed.parquet; the first, 'b/a.png'" in ran.err
    assert pq.read_table(tmp_path / "p.failed.parquet")["id"].to_pylist() == ["b/a.png"]
    assert open_embeddings(tmp_path / "p.space").ids.to_pylist() == ["a.png", "b/c.png"]
    alignkit(*words, "--force", "--on-error", "stop").refused("item 'b/a.png'", "picture")


def test_what_leads_out_of_the_folder_is_a_bad_item_of_many(alignkit, photos, tmp_path):
    Image.new("RGB", (9, 6), BLUE).save(tmp_path / "secret.png")
    (photos / "out.png").symlink_to(tmp_path / "secret.png")
    (photos / "t.csv").write_text("id,path\nx,a.png\ny,../secret.png\n")
    for source, name, bad in (("photos", "p", "out.png"), ("photos/t.csv", "t", "y")):
        words = ("embed", source, "--encoder", "toy", "--modality", "image", "--out", f"{name}.space")
        alignkit(*words, "--on-error", "stop").refused(f"item '{bad}'", "leaves")
        assert alignkit(*words).code == 4
        (failed,) = pq.read_table(tmp_path / f"{name}.failed.parquet").to_pylist()
        assert failed["id"] == bad
        assert "leaves" in failed["reason"]
        assert bad not in open_embeddings(tmp_path / f"{name}.space").ids.to_pylist()


def test_where_all_are_bad_the_list_is_named_and_the_next_run_replaces_it(alignkit, tmp_path):
    (tmp_path / "t.txt").write_text("?\n")
    words = ("embed", "t.txt", "--encoder", "toy", "--modality", "text", "--out", "ab.space")
    alignkit(*words).refused("none of 1 item could be encoded", "ab.failed.parquet")
    (tmp_path / "t.txt").write_text("rain\n")
    assert alignkit(*words).code == 0
    assert not (tmp_path / "ab.failed.parquet").exists()


def test_options_of_the_encoder_and_of_the_table_are_passed_on(alignkit, tmp_path):
    (tmp_path / "t.csv").write_text("key,words\n007,a low hum\n8,a high tone\n")
    table = ("--ids", "key", "--column", "words", "--modality", "text", "--batch-size", "1", "--workers", "0")
    ran = alignkit("embed", "t.csv", "--encoder", "toy", *table, "--set", "world=sound", "--out", "t.space")
    assert ran.code == 0, ran.err
    rows = open_embeddings(tmp_path / "t.space")
    assert (rows.ids.to_pylist(), rows.space.name) == (["007", "8"], "toy/sound")


def test_films_are_counted_until_it_is_said_how_they_are_seen(alignkit, photos, tmp_path, make_film):
    make_film(photos / "f.mkv", [RED, RED, BLUE, BLUE])
    words = ("embed", "photos", "--encoder", "toy", "--modality", "image")
    ran = alignkit(*words, "--out", "p.space", "--json")
    assert (ran.json["ignored"], ran.json["ignored_films"]) == (1, 1)
    assert (
        ran.err == "note: 1 other file was ignored, 1 of them films: --frames RATE encodes their pictures\n"
    )
    ran = alignkit(*words, "--out", "f.space", "--frames", "5")
    assert (ran.code, ran.out, ran.err) == (0, "f.space: 3 x 128 of toy/sight\n", "")
    red, blue = Toy().encode([flat(RED), flat(BLUE)], "image")
    rows = open_embeddings(tmp_path / "f.space")
    assert rows.ids.to_pylist() == ["a.png", "b/c.png", "f.mkv"]
    np.testing.assert_allclose(rows.array()[2], (red + blue) / 2, atol=1e-6)
    kept = (*words, "--frames", "5", "--frame-pool")
    assert alignkit(*kept, "keep", "--out", "k.space").code == 0
    assert open_embeddings(tmp_path / "k.space").ids.to_pylist()[2:] == ["f.mkv#0.000", "f.mkv#0.200"]
    pooled = alignkit("convert", "k.space", "c.space", "--pool", "mean_unit")
    assert pooled.code == 0, pooled.err
    np.testing.assert_array_equal(open_embeddings(tmp_path / "c.space").array(), rows.array())
    assert alignkit(*kept, "mean-unit", "--out", "u.space").code == 0
    (photos / "g.mp4").write_bytes(b"")
    ran = alignkit(*kept, "middle", "--out", "m.space")
    assert (ran.code, pq.read_table(tmp_path / "m.failed.parquet")["id"].to_pylist()) == (4, ["g.mp4"])
    alignkit(*kept, "median", "--out", "x.space").refused("'median'", "mean_unit", "keep")
    alignkit(*words, "--frames", "0", "--out", "x.space").refused("frames is 0", "above 0")
    alignkit(*words, "--frame-pool", "keep", "--out", "x.space").refused("without --frames")


def test_sounds_are_encoded_by_a_file_that_says_its_own_sizes(alignkit, tmp_path):
    wavbrivl = pytest.importorskip("alignkit.encoders.wavbrivl")
    soundfile = pytest.importorskip("soundfile")
    pytest.importorskip("transformers")
    sizes = {"width": 32, "layers": 1, "heads": 2, "feed": 16, "channels": 8, "mixer_layers": 1, "dim": 24}
    net = wavbrivl.start_wavbrivl(wavbrivl.Size(**sizes))
    wavbrivl.save_wavbrivl(net, tmp_path / "tiny.safetensors")
    (tmp_path / "sounds").mkdir()
    for number in (1, 2):
        wave = 0.5 * np.sin(np.arange(4000 * number) * 0.1 * number)
        soundfile.write(tmp_path / "sounds" / f"{number}.wav", wave, 8000, subtype="FLOAT")
    words = ("embed", "sounds", "--encoder", "wavbrivl", "--weights", "tiny.safetensors", "--out", "s.space")
    ran = alignkit(*words, "--set", "length=first")
    assert (ran.code, ran.out) == (0, "s.space: 2 x 24 of brivl\n"), ran.err
    rows, encoder = open_embeddings(tmp_path / "s.space"), wavbrivl.Wavbrivl(weights="tiny.safetensors")
    assert (rows.space, rows.ids.to_pylist()) == (encoder.space(), ["1.wav", "2.wav"])
    read = [read_sound(tmp_path / "sounds" / name) for name in rows.ids.to_pylist()]
    np.testing.assert_allclose(rows.array(), encoder.encode(read, "audio"), atol=1e-6)
    alignkit(*words[:4], "--out", "t.space").refused("WavBriVL needs its weights")


def test_what_makes_no_sense_is_refused_in_one_sentence(alignkit, photos):
    toy = ("--encoder", "toy", "--out", "p.space")
    alignkit("embed", "photos", *toy).refused("toy encodes text and image", "--modality")
    alignkit("embed", "photos", *toy, "--modality", "audio").refused(
        "encodes text and image, not 'audio'", "--set world=sound"
    )
    alignkit("embed", "photos", *toy, "--modality", "image", "--set", "world=sound").refused(
        "encodes text and audio, not 'image'", "--set world=sight"
    )
    alignkit("embed", "photos", *toy[:2], "--out", "y4", "--modality", "image").refused(
        "y4 names no format: end it in one of .space, .npy", "`alignkit convert` also takes --format"
    )
    alignkit("embed", "none", *toy, "--modality", "image").refused("none does not exist")
    alignkit("embed", "photos", *toy, "--modality", "text").refused("holds no item of text", "2 other files")
    alignkit("embed", "photos", *toy, "--modality", "image", "--device", "cuda").refused(
        "no weights", "but device is 'cuda': leave device out."
    )
    alignkit("embed", "photos", *toy, "--modality", "image", "--on-error", "x").refused("--on-error is 'x'")
    alignkit("embed", "photos", *toy, "--modality", "image", "--set", "wrld=1").refused(
        "Did you mean 'world'"
    )
    alignkit("embed", "photos", "--encoder", "tyo", "--out", "p.space").refused("Did you mean 'toy'")


def test_a_missing_extra_exits_with_five_and_the_command(alignkit, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    ran = alignkit("embed", "photos", "--encoder", "toy", "--modality", "image", "--out", "p.space")
    ran.refused("pip install 'alignkit[media]'", code=5)


def test_an_interrupt_says_that_the_same_command_goes_on(alignkit, photos, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Toy, "encode_prepared", interrupted)
    monkeypatch.setattr(Toy, "fingerprint", lambda _: None)
    ran = alignkit("embed", "photos", "--encoder", "toy", "--modality", "image", "--out", "p.space")
    assert (ran.code, ran.out) == (130, "")
    assert "the same command goes on" in ran.err


@pytest.mark.parametrize(
    ("encoder", "options", "name", "dim"),
    [
        ("openl3", ("--set", "input_repr=mel128", "--set", "embedding_size=512"), "openl3/mel128-512", 4),
        ("passt", (), "passt", 64),
    ],
)
def test_clips_are_encoded_from_a_file_of_weights_and_a_stopped_run_goes_on(
    alignkit, tmp_path, monkeypatch, encoder, options, name, dim
):
    torch, soundfile = pytest.importorskip("torch"), pytest.importorskip("soundfile")
    monkeypatch.setattr(embedding, "_PART", 2)
    monkeypatch.setattr(_openl3_net, "WIDTHS", (2, 2, 2, 2, 4, 4, 4, 4))
    for module in (_passt_net, passt):
        monkeypatch.setattr(module, "DIM", 64)
    small = {"openl3": _openl3_net.openl3_net, "passt": lambda: passt_net(Shape(64, 7, 20, (12, 99)))}
    torch.manual_seed(0)
    torch.save(small[encoder]().state_dict(), tmp_path / "weights.pth.tar")
    (tmp_path / "clips").mkdir()
    for number, rate in enumerate((48_000, 32_000, 8_000, 44_100, 16_000)):
        noise = 0.1 * np.random.default_rng(number).normal(size=(rate // 2, 1 + number % 2))
        soundfile.write(tmp_path / "clips" / f"{number}.wav", noise, rate)
    last = tmp_path / "clips" / "4.wav"
    whole = last.read_bytes()
    last.write_bytes(b"RIFF")
    words = ("embed", "clips", "--encoder", encoder, "--weights", "weights.pth.tar", *options)
    words = (*words, "--out", "x.space", "--json")
    alignkit(*words, "--on-error", "stop").refused("item '4.wav'")
    last.write_bytes(whole)
    ran = alignkit(*words)
    assert ran.code == 0, ran.err
    assert (ran.json["rows"], ran.json["resumed"], ran.json["space"]) == (5, 4, name)
    rows = open_embeddings(tmp_path / "x.space")
    made = ENCODERS.get(encoder)(weights=tmp_path / "weights.pth.tar", **dict(_set(options)))
    sounds = [read_sound(tmp_path / "clips" / file) for file in rows.ids.to_pylist()]
    np.testing.assert_allclose(rows.array(), made.encode(sounds, "audio"), atol=1e-5)
    assert rows.array().shape == (5, dim)
    assert len(rows.space.fingerprint.probes) == 5  # those of the sixteen that are sounds
    assert rows.space.fingerprint.agreement(made.fingerprint()) == pytest.approx(1.0)


def _set(options: tuple[str, ...]) -> list[tuple[str, int | str]]:
    """Return the options of an encoder as its constructor takes them."""
    pairs = [each.split("=") for each in options if "=" in each]
    return [(name, int(value) if value.isdigit() else value) for name, value in pairs]
