"""Chinese CLIP from a folder: transformers' own rows, prepared as the folder says."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from transformers import BertTokenizer, ChineseCLIPConfig, ChineseCLIPModel

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._published import pixels_of
from alignkit.encoders.chinese_clip import ChineseClip
from alignkit.errors import DataError

SQUASHED = {
    "do_center_crop": False,
    "size": {"height": 32, "width": 32},
    "resample": 3,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
SHORTEST = {**SQUASHED, "do_center_crop": True, "size": {"shortest_edge": 32}}
CROPPED = {**SHORTEST, "crop_size": {"height": 32, "width": 32}}


@pytest.fixture(scope="module")
def folder(seeded: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chinese")
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = ChineseCLIPConfig(
        text_config={**small, "vocab_size": 40, "max_position_embeddings": 60},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    with torch.random.fork_rng(devices=[]):
        model = ChineseCLIPModel(config)
    model.load_state_dict(seeded(model.state_dict()))
    model.save_pretrained(path)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*marks, *(chr(0x4E00 + i) for i in range(25)), *"abcdefghij"]
    BertTokenizer(vocab={word: i for i, word in enumerate(words)}).save_pretrained(path)
    (path / "preprocessor_config.json").write_text(json.dumps(SQUASHED))
    return path


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_contract_is_kept(folder: Path):
    check_encoder(ChineseClip(weights=folder))


def test_rows_are_those_of_transformers(folder: Path):
    encoder = ChineseClip(weights=folder)
    model, tokenizer = ChineseCLIPModel.from_pretrained(folder).eval(), BertTokenizer.from_pretrained(folder)
    texts = ["\u4e00\u4e01", "\u4e05 a b"]
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)  # nothing to resize
    mean, std = (np.array(SQUASHED[name]) for name in ("image_mean", "image_std"))
    pixels = torch.from_numpy(((picture / 255 - mean) / std).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        read = model.get_text_features(**tokenizer(texts, padding=True, return_tensors="pt")).pooler_output
        seen = model.get_image_features(pixel_values=pixels).pooler_output
    assert_allclose(encoder.encode(texts, "text"), read, atol=1e-5)
    assert_allclose(encoder.encode([picture], "image"), seen, atol=1e-5)
    assert np.linalg.norm(encoder.encode(texts, "text"), axis=1).std() > 1e-3  # raw


def test_the_recipe_is_the_folders(copy: Path):
    assert ChineseClip(weights=copy).recipe()["resize_mode"] == "squash"
    (copy / "preprocessor_config.json").write_text(json.dumps(CROPPED))
    assert ChineseClip(weights=copy).recipe()["resize_mode"] == "shortest"
    assert ChineseClip(weights=copy).space().name == "chinese-clip/vit-1x32-patch8"


@pytest.mark.parametrize(
    "change",
    [
        {"resample": 2},
        {"do_normalize": False},
        {"size": 32},
        {"image_mean": None},
        {"size": {"shortest_edge": 32}},
        {"do_center_crop": True},
        {**SHORTEST, "crop_size": {"height": 30, "width": 32}},
    ],
)
def test_another_way_to_prepare_pictures_is_refused(copy: Path, change: dict):
    facts = {k: v for k, v in {**SQUASHED, **change}.items() if v is not None}
    (copy / "preprocessor_config.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="in a way that is not known"):
        pixels_of(str(copy), local="x")


def test_a_folder_without_its_parts_is_refused(copy: Path):
    (copy / "preprocessor_config.json").unlink()
    with pytest.raises(DataError, match="no readable model"):
        ChineseClip(weights=copy).recipe()
    with pytest.raises(DataError, match=r"nowhere\.bin do not exist"):
        ChineseClip(weights=copy / "nowhere.bin").space()
    with pytest.raises(DataError, match=r"config\.json are a file: give a folder .* vocab\.txt, or a name"):
        ChineseClip(weights=copy / "config.json").space()
    (copy / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(DataError, match="of type 'bert', not 'chinese_clip'"):
        ChineseClip(weights=copy).space()
