"""CLAP from every kind of weights: the same rows, from the sound alone; refusals name what is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from transformers import ClapFeatureExtractor, RobertaTokenizer

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._clap_mel import FRAMES, RATE, SIZE, pictures, shrunk
from alignkit.encoders._laion_file import load_laion
from alignkit.encoders.clap import Clap
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound
from alignkit.media.lengths import as_int16_holds, mean_direction

WORDS = [f"{start}{letter}" for start in ("Ġ", "") for letter in "abcdefghijklmnopq"]
TIME = np.arange(SIZE) / RATE


GOLDEN = {
    "audio": [-0.3868425, 0.4197371, -0.3105584, 0.1079314],
    "long": [-0.4185887, 0.3946447, -0.3192628, 0.1726840],
    "text": [0.5012133, 0.0994058, 0.1143241, -0.2187225],
}


def chirp(seconds: float, rate: int = RATE, low: float = 200.0, high: float = 4000.0) -> Sound:
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (low * t + (high - low) * t**2 / (2 * max(seconds, 1e-9)))
    return Sound.of(0.5 * np.sin(phase), rate)


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> Sound:
    return Sound.of(0.2 * np.random.default_rng(seed).normal(size=round(seconds * rate)), rate)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *WORDS]
    RobertaTokenizer(vocab={name: i for i, name in enumerate(names[:40])}, merges=[]).save_pretrained(
        tmp_path / "words"
    )
    return tmp_path / "words"


@pytest.fixture
def laion_file(mini_laion: Callable, tmp_path: Path) -> Path:
    torch.save({"epoch": 1, "state_dict": mini_laion()}, tmp_path / "mini.pt")
    return tmp_path / "mini.pt"


@pytest.fixture
def fusion_file(mini_laion: Callable, tmp_path: Path) -> Path:
    torch.save(mini_laion(fusion=True), tmp_path / "fusion.pt")
    return tmp_path / "fusion.pt"


@pytest.fixture
def folder(laion_file: Path, tokenizer: Path, tmp_path: Path) -> Path:
    load_laion(laion_file).save_pretrained(tmp_path / "hf")
    for file in tokenizer.iterdir():
        shutil.copy(file, tmp_path / "hf")
    return tmp_path / "hf"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("seconds", [0.1, 2.3, 9.9999, 10.0])
def test_the_front_end_is_that_of_transformers(seconds: float):
    options = {"frequency_min": 50, "frequency_max": 14000, "padding": "repeatpad"}
    samples = as_int16_holds(noise(seconds).samples)
    for fusion in (False, True):
        theirs = ClapFeatureExtractor(truncation="fusion" if fusion else "rand_trunc", **options)(
            samples, sampling_rate=RATE, return_tensors="np"
        )
        ours = pictures(samples, "fusion" if fusion else "windows", fusion=fusion)
        assert_allclose(ours.mel, theirs["input_features"], atol=1e-4)
        assert not ours.longer


def test_a_long_sound_is_fused_from_its_whole_and_three_fixed_parts():
    samples = np.concatenate([chirp(10).samples, noise(6).samples])
    fused = pictures(samples, "fusion", fusion=True)
    whole = np.concatenate([pictures(samples[:SIZE], "first", fusion=True).mel[0, 0]])
    assert fused.mel.shape == (1, 4, FRAMES, 64)
    assert fused.longer
    assert_allclose(fused.mel[0, 1, :990], whole[:990], atol=1e-4)  # frames that do not feel the cut
    assert_allclose(fused.mel[0, 1, 300:], fused.mel[0, 2, :701], atol=0)  # 600 frames to spare, halved
    assert_allclose(fused.mel[0, 2, 300:], fused.mel[0, 3, :701], atol=0)
    barely = pictures(samples[: SIZE + 100], "fusion", fusion=True)
    assert not barely.longer
    assert_array_equal(barely.mel[0, 0], barely.mel[0, 3])


def test_shrinking_is_torchs_bilinear_interpolation():
    mel = np.random.default_rng(0).normal(size=(1777, 5))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(mel)[None, None], size=[FRAMES, 5], mode="bilinear"
    )
    assert_allclose(shrunk(mel, FRAMES), theirs[0, 0].numpy(), atol=1e-12)


def test_laions_file_and_a_folder_of_transformers_are_one_space(
    laion_file: Path, folder: Path, tokenizer: Path
):
    one, other = Clap(weights=laion_file, tokenizer=tokenizer), Clap(weights=folder)
    sounds, texts = [chirp(3), noise(12)], ["a b c", "d"]
    assert_allclose(one.encode(sounds, "audio"), other.encode(sounds, "audio"), atol=1e-6)
    assert_allclose(one.encode(texts, "text"), other.encode(texts, "text"), atol=1e-6)
    assert one.space() == other.space()
    assert one.recipe() == other.recipe()
    assert json.loads(json.dumps(one.recipe()))["length"] == "windows"
    assert (one.space().name, one.space().norm, one.dim) == ("clap/htsat-8", "unit", 16)


def test_a_row_hangs_on_its_sound_alone_beside_longer_ones(fusion_file: Path):
    encoder = Clap(weights=fusion_file)
    sounds = [chirp(0.1), noise(12), chirp(10), noise(13, 1), noise(1, 2, 16000), chirp(11, 22050)]
    rows = encoder.encode(sounds, "audio")
    np.random.seed(1)  # noqa: NPY002 - the global generators are what must not matter
    torch.manual_seed(1)
    shuffled = encoder.encode(sounds[::-1], "audio", batch_size=4)[::-1]
    alone = np.concatenate([encoder.encode([sound], "audio") for sound in sounds])
    assert_allclose(shuffled, rows, atol=2e-6)
    assert_allclose(alone, rows, atol=2e-6)
    assert_array_equal(encoder.encode(sounds, "audio"), rows)
    apart = np.linalg.norm(rows[:, None] - rows, axis=-1)[~np.eye(len(rows), dtype=bool)]
    assert apart.min() > 1e-3


@pytest.mark.parametrize(("weights", "longest"), [("laion_file", 60.0), ("fusion_file", 12.0)])
def test_the_contract_is_kept(weights: str, longest: float, tokenizer: Path, request: pytest.FixtureRequest):
    encoder = Clap(weights=request.getfixturevalue(weights), tokenizer=tokenizer)
    check_encoder(encoder, longest=longest)


def test_the_kind_of_samples_does_not_matter_and_silence_is_finite(laion_file: Path):
    encoder = Clap(weights=laion_file)
    whole = (10000 * np.sin(2 * np.pi * 440 * TIME[:48000])).astype(np.int16)
    kinds = [whole, whole / 32768.0, (whole / 32768).astype(np.float32), np.stack([whole, whole], 1)]
    rows = encoder.encode([Sound.of(samples, RATE) for samples in kinds], "audio")
    assert_allclose(rows, rows[[0] * 4], atol=2e-6)
    silent = encoder.encode([Sound.of(np.zeros(500), RATE), Sound.of(np.zeros(5 * SIZE), RATE)], "audio")
    assert_allclose(silent[0], silent[1], atol=2e-6)


def test_the_policies_cut_what_they_say(laion_file: Path):
    sound = Sound.of(np.concatenate([noise(10, seed).samples for seed in (1, 2, 3)])[: 2 * SIZE + 1000], RATE)

    def row(policy: str | None, begin: int = 0, end: int | None = None) -> np.ndarray:
        part = Sound(sound.samples[begin:end], RATE)
        return Clap(weights=laion_file, length=policy).encode([part], "audio")[0]

    windows = [row("first", at, at + SIZE) for at in (0, SIZE, SIZE + 1000)]
    assert_allclose(row(None), mean_direction(np.stack(windows)), atol=2e-6)
    assert_allclose(row("first"), windows[0], atol=2e-6)
    middle = (SIZE + 1000) // 2
    assert_allclose(row("center"), row("first", middle, middle + SIZE), atol=2e-6)
    assert_array_equal(row("random(3)"), row("random(3)"))
    assert np.abs(row("random(3)") - row("random(4)")).max() > 1e-4


def test_fusion_hears_the_end_of_a_long_sound_and_leaves_short_ones_alone(fusion_file: Path):
    fused, cut = Clap(weights=fusion_file), Clap(weights=fusion_file, length="first")
    changed = np.concatenate([chirp(15).samples, noise(5).samples])
    rows = fused.encode([chirp(20), Sound.of(changed, RATE)], "audio")
    assert np.abs(rows[0] - rows[1]).max() > 1e-4
    assert_allclose(fused.encode([chirp(9)], "audio"), cut.encode([chirp(9)], "audio"), atol=1e-6)
    assert np.abs(rows[0] - cut.encode([chirp(20)], "audio")[0]).max() > 1e-4
    assert fused.recipe()["length"] == "fusion"
    assert fused.space().name == "clap/htsat-8-fusion"


def test_a_text_hangs_on_its_words_alone_and_ends_at_77_tokens(laion_file: Path, tokenizer: Path):
    encoder = Clap(weights=laion_file, tokenizer=tokenizer)
    texts = ["a b", "c", "", "a b " * 60, "a b " * 99]
    rows = encoder.encode(texts, "text")
    assert_allclose(encoder.encode(texts[::-1], "text", batch_size=2)[::-1], rows, atol=2e-6)
    assert_array_equal(rows[3], rows[4])
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def test_rows_of_seeded_weights_are_those_of_laions_own_code(
    laion_file: Path, fusion_file: Path, tokenizer: Path
):
    """Weights from a hash, sounds from sines. LAION-AI/CLAP's module gave these numbers (torch 2.14.1), its
    three random chunks replaced by the first, the middle and the last, librosa making its mel."""
    plain, fused = Clap(weights=laion_file, tokenizer=tokenizer), Clap(weights=fusion_file)
    found = {
        "audio": plain.encode([chirp(3)], "audio")[0, :4],
        "long": fused.encode([chirp(12)], "audio")[0, :4],
        "text": plain.encode(["a b c"], "text")[0, :4],
    }
    for name, row in GOLDEN.items():
        assert_allclose(found[name], row, atol=2e-6, err_msg=name)


def test_half_precision_is_close_and_of_unit_length(laion_file: Path):
    whole, half = (Clap(weights=laion_file, dtype=kind) for kind in ("float32", "bfloat16"))
    rows = half.encode([chirp(3)], "audio")
    assert_allclose(rows, whole.encode([chirp(3)], "audio"), atol=0.05)
    assert half.space().revision == whole.space().revision


def test_a_tokenizer_with_another_number_of_words_is_refused(laion_file: Path, tmp_path: Path):
    RobertaTokenizer(
        vocab={"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}, merges=[]
    ).save_pretrained(tmp_path / "five")
    with pytest.raises(DataError, match="knows 5 tokens, the model 40"):
        Clap(weights=laion_file, tokenizer=tmp_path / "five").encode(["a"], "text")


def test_a_file_without_a_tokenizer_still_hears_and_says_what_texts_need(laion_file: Path, offline: None):
    encoder = Clap(weights=laion_file)
    assert encoder.encode([chirp(1)], "audio").shape == (1, 16)
    with pytest.raises(DataError, match="tokenizer"):
        encoder.encode(["a"], "text")


def test_weights_that_are_not_there_are_one_sentence(tmp_path: Path, offline: None):
    with pytest.raises(DataError, match=r"nothing\.pt do not exist"):
        Clap(weights=tmp_path / "nothing.pt").space()
    with pytest.raises(DataError, match="HF_HUB_OFFLINE is set"):
        Clap().space()


def test_a_folder_of_another_model_or_cut_short_is_refused(folder: Path):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:2000])
    with pytest.raises(DataError, match="holds no readable model"):
        Clap(weights=folder).space()
    (folder / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(DataError, match="of type 'clip', not 'clap'"):
        Clap(weights=folder).space()


def test_a_folder_that_lacks_a_tensor_is_refused(folder: Path):
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    del state["audio_projection.linear1.bias"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"missing keys, first audio_projection\.linear1\.bias"):
        Clap(weights=folder).space()


def test_a_policy_that_makes_no_sense_is_refused(laion_file: Path):
    with pytest.raises(ParameterError, match="trained without"):
        Clap(weights=laion_file, length="fusion").encode([chirp(1)], "audio")
    with pytest.raises(ParameterError, match="choose windows, center"):
        Clap(weights=laion_file, length="middle").encode([chirp(1)], "audio")
