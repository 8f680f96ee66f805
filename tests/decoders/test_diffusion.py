"""AudioLDM and Stable unCLIP of random numbers: equal to the pipelines, per item, refused by name."""

import importlib.util
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.decoder_checks import check_decoder
from alignkit.decoders._base import Drawing
from alignkit.errors import DataError, OutputError, ParameterError, SpaceMismatchError
from alignkit.fingerprints import Fingerprint
from alignkit.spaces import Embeddings, Space

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def tiny():
    spec = importlib.util.spec_from_file_location("tiny_pipelines", HERE / "tiny_pipelines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def audio(tiny, tmp_path_factory):
    from alignkit.decoders.audioldm import Audioldm

    parts = tiny.audio_parts()
    folder = tiny.write(parts, tmp_path_factory.mktemp("audioldm"))
    return parts, folder, Audioldm(weights=folder)


@pytest.fixture(scope="module")
def picture(tiny, tmp_path_factory):
    from alignkit.decoders.stable_unclip import StableUnclip

    parts = tiny.picture_parts()
    folder = tiny.write(parts, tmp_path_factory.mktemp("unclip"))
    return parts, folder, StableUnclip(weights=folder)


def rows_of(decoder, n=3):
    rows = np.random.default_rng(0).normal(size=(n, decoder.card.space.dim))
    ids = [f"i{k}" for k in range(n)]
    return decoder.calibrate(Embeddings(rows, ids=ids, space=decoder.card.space, name="rows"))


def drawn(decoder, rows, seeds, steps, guidance):
    """Return what the decoder draws with given seeds, as the pipeline is asked to."""
    return decoder._decode(rows.array(np.dtype(np.float64)), Drawing(tuple(seeds), 0, steps, guidance))


def generators(seeds):
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_our_loop_gives_what_the_audioldm_pipeline_gives(audio, guidance):
    from diffusers import AudioLDMPipeline

    parts, _, decoder = audio
    pipe = AudioLDMPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    rows = rows_of(decoder)
    given = torch.from_numpy(rows.array()).float()
    null = torch.from_numpy(decoder.card.null).float().expand_as(given)
    theirs = pipe(
        prompt_embeds=given,
        negative_prompt_embeds=null,
        num_inference_steps=3,
        guidance_scale=guidance,
        generator=generators([5, 6, 7]),
    ).audios
    ours = drawn(decoder, rows, [5, 6, 7], 3, guidance)
    assert ours.shape == theirs.shape == (3, *decoder.card.item_shape)
    assert_allclose(ours, theirs, atol=1e-6)
    assert np.abs(theirs).max() > 1e-4


def test_the_null_row_is_what_the_pipeline_makes_of_the_empty_text(audio):
    from diffusers import AudioLDMPipeline

    parts, _, decoder = audio
    with torch.no_grad():
        both = AudioLDMPipeline(**parts)._encode_prompt(
            None, "cpu", 1, True, prompt_embeds=torch.zeros(1, decoder.card.space.dim)
        )
    assert_allclose(decoder.card.null, both[0].numpy(), atol=1e-6)
    assert_allclose(np.linalg.norm(decoder.card.null), 1, atol=1e-6)


@pytest.mark.parametrize("guidance", [1.0, 10.0])
def test_our_loop_gives_what_the_unclip_pipeline_gives(picture, tiny, guidance):
    from diffusers import StableUnCLIPImg2ImgPipeline
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    from alignkit.decoders.stable_unclip import StableUnclip

    parts, folder, _ = picture
    eye = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=8,
            projection_dim=tiny.DIM,
            num_hidden_layers=1,
            num_attention_heads=1,
            image_size=8,
            intermediate_size=8,
            patch_size=4,
        )
    )
    pipe = StableUnCLIPImg2ImgPipeline(feature_extractor=None, image_encoder=eye, **parts)
    pipe.set_progress_bar_config(disable=True)
    decoder = StableUnclip(weights=folder, noise_level=200)
    rows = rows_of(decoder, 2)
    theirs = pipe(
        prompt=["", ""],
        image_embeds=torch.from_numpy(rows.array()).float(),
        noise_level=200,
        num_inference_steps=3,
        guidance_scale=guidance,
        generator=generators([5, 6]),
        output_type="np",
    ).images
    ours = drawn(decoder, rows, [5, 6], 3, guidance)
    assert np.abs(ours - theirs * 255).max() <= 0.501  # rounding to bytes, and nothing else
    assert theirs.std() > 0.01


@pytest.mark.parametrize("name", ["audio", "picture"])
def test_both_keep_the_contract_of_decoders(name, request, monkeypatch):
    decoder = request.getfixturevalue(name)[2]
    assert (decoder.card.steps, decoder.card.guidance) == {"audio": (200, 2.5), "picture": (20, 10.0)}[name]
    for fact in ("reads", "gives", "returns", "steps", "guidance", "licence"):
        assert getattr(decoder.card, fact) == getattr(decoder.facts, fact)
    monkeypatch.setattr(decoder, "card", replace_steps(decoder.card))
    check_decoder(decoder)


def replace_steps(card):
    from dataclasses import replace

    return replace(card, steps=2)


def test_a_guidance_of_one_needs_no_negative_and_is_the_conditional_prediction(audio, tmp_path):
    from alignkit.decoders.audioldm import Audioldm

    _, folder, decoder = audio
    for part in ("unet", "vae", "vocoder", "scheduler"):
        shutil.copytree(folder / part, tmp_path / "bare" / part)
    bare = Audioldm(weights=tmp_path / "bare")
    assert bare.card.null is None
    rows = rows_of(decoder)
    alone, full = (each.decode(rows, steps=2, guidance=1.0) for each in (bare, decoder))
    assert np.array_equal(alone, full)
    assert not np.allclose(decoder.decode(rows, steps=2, guidance=4.0), full, atol=1e-5)
    with pytest.raises(DataError, match=r"lacks text_encoder and tokenizer.*guidance of 1"):
        bare.decode(rows, steps=2, guidance=2.5)


@pytest.mark.parametrize("name", ["audio", "picture"])
def test_a_saved_decoder_draws_the_same_without_tokenizer(name, request, tmp_path):
    _, _, decoder = request.getfixturevalue(name)
    decoder.save(tmp_path / "kept")
    assert not (tmp_path / "kept" / "tokenizer").exists()
    again = type(decoder)(weights=tmp_path / "kept")
    rows = rows_of(decoder)
    assert np.array_equal(decoder.decode(rows, steps=2), again.decode(rows, steps=2))
    assert again.digest == decoder.digest
    with pytest.raises(OutputError, match="exists already"):
        decoder.save(tmp_path / "kept")


def test_a_folder_that_lacks_a_part_or_has_a_damaged_one_says_which(audio, tmp_path):
    from alignkit.decoders.audioldm import Audioldm
    from alignkit.decoders.stable_unclip import StableUnclip

    _, folder, _ = audio
    shutil.copytree(folder, tmp_path / "part")
    shutil.rmtree(tmp_path / "part" / "vocoder")
    with pytest.raises(DataError, match="lacks vocoder beside unet, vae, scheduler"):
        Audioldm(weights=tmp_path / "part")
    with pytest.raises(DataError, match="no whole pipeline of Stable unCLIP: it lacks image_normalizer"):
        StableUnclip(weights=folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"it lacks unet, vae, vocoder, scheduler\.$"):
        Audioldm(weights=tmp_path / "none")
    shutil.copytree(folder / "vocoder", tmp_path / "part" / "vocoder")
    (tmp_path / "part" / "vae" / "config.json").write_text("{")
    with pytest.raises(DataError, match=r"the part vae of .* cannot be read"):
        Audioldm(weights=tmp_path / "part")
    with pytest.raises(DataError, match="needs its weights"):
        Audioldm()
    for bad in ("abc", -1.0, True, float("nan")):
        with pytest.raises(ParameterError, match=r"seconds is .*give a number >= 0"):
            Audioldm(weights=folder, seconds=bad)
    with pytest.raises(ParameterError, match=r"noise_level is 1\.5; give a whole number, 0 or more"):
        StableUnclip(weights=folder, noise_level=1.5)
    with pytest.raises(ParameterError, match="space is 5; give a word"):
        Audioldm(weights=folder, space=5)
    with pytest.raises(ParameterError, match="one frame of the latents"):
        Audioldm(weights=folder, seconds=1e-4)


def test_the_length_of_raw_rows_is_read_off_the_decoder(picture):
    parts, _, decoder = picture
    normal = parts["image_normalizer"]
    mean, spread = (part.detach().numpy() for part in (normal.mean, normal.std))
    expected = np.sqrt((mean**2).sum() + (spread**2).sum())
    assert decoder.card.length == pytest.approx(expected, rel=1e-6)
    assert decoder.card.reads == "raw"
    unit = Embeddings(np.eye(8)[:2], space=Space(8, "clip/unclip-8", "unit"))
    with pytest.raises(DataError, match=r"clip/unclip-8 .* calibrate"):
        decoder.decode(unit)
    assert decoder.decode(decoder.calibrate(unit), steps=1).shape == (2, 32, 32, 3)


def test_rows_are_said_to_be_of_the_space_that_the_user_vouches_for(audio):
    from alignkit.decoders.audioldm import Audioldm

    _, folder, decoder = audio
    assert decoder.card.space.name == "clap/audioldm"
    mine = Audioldm(weights=folder, space="clap/mine", seconds=0.01)
    assert mine.card.space == Space(8, "clap/mine", "unit")
    rows = Embeddings(np.eye(8)[:1], space=Space(8, "clap/mine", "unit"))
    assert mine.decode(rows, steps=1).shape == (1, 160)


def test_rows_of_another_checkpoint_under_the_same_name_are_refused_by_what_it_answers(audio, tmp_path):
    """A name is only vouched for; the text tower of the pipeline says whether it is true."""
    _, _, decoder = audio
    mark = decoder.card.space.fingerprint
    assert mark is not None
    assert len(mark.probes) == 6
    decoder.save(tmp_path / "kept")
    again = type(decoder)(weights=tmp_path / "kept")  # which has no text tower
    other = Fingerprint.of(list(mark.probes), np.random.default_rng(1).normal(size=(6, 8)))
    for each in (decoder, again):
        for answers, refused in ((mark, False), (other, True), (None, False)):
            space = replace(decoder.card.space, fingerprint=answers)
            rows = Embeddings(np.eye(8)[:1], space=space)
            if refused:
                with pytest.raises(
                    SpaceMismatchError, match=r"Audioldm decoder needs clap/audioldm .*cosine"
                ):
                    each.decode(rows, steps=1)
            else:
                assert each.decode(rows, steps=1).shape == (1, *decoder.card.item_shape)
