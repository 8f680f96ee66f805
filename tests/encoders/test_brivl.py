"""BriVL: the public code's rows from its tensors, at a size that a test can afford."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torchvision import transforms
from transformers import BertTokenizer

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._brivl_net import Size, box_edges, brivl_net, load_brivl, needed
from alignkit.encoders.brivl import Brivl
from alignkit.errors import DataError, ParameterError

SMALL = Size(
    cnn="test_efficientnet",
    pixels=96,
    width=256,
    words=60,
    text_width=32,
    text_layers=1,
    text_heads=2,
    layers=2,
)
# neilfei/brivl-nmi's own towers at that size gave these from the seeded weights (torch 2.14.1)
PICTURES = [[-0.0318701, 0.1458266, -0.0823227, -0.0490381], [-0.0390905, 0.1443666, -0.0810267, -0.0527324]]
TEXTS = [[0.0826007, 0.0577390, 0.0215843, 0.0027078], [0.0713841, 0.0635993, 0.0265550, 0.0074868]]


class Small(Brivl):
    size = SMALL
    card = replace(Brivl.card, dim=256, image_size=(96, 96))


def picture(seed: int) -> np.ndarray:
    y, x = np.mgrid[:70, :120]
    return np.stack([x * 2 + seed * 40, y * 3, x * y // 7 + seed], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def state(seeded: Callable) -> dict[str, torch.Tensor]:
    """Return seeded tensors; small variances keep a picture from drowning in biases."""
    with torch.random.fork_rng(devices=[]):
        layout = brivl_net(SMALL).state_dict()
    return {k: 0.02 * v if "running_var" in k else v for k, v in seeded(layout).items()}


@pytest.fixture(scope="module")
def weights(state: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint as the original writes it: momentum copies, places, and an epoch beside."""
    both = {**state, "textencoder.backbone.bert.embeddings.position_ids": torch.arange(512)[None]}
    moving = {name.replace("encoder.", "encoder_mom.", 1): tensor for name, tensor in both.items()}
    path = tmp_path_factory.mktemp("brivl") / "brivl.pth"
    torch.save({"epoch": 3, "learnable": both | moving}, path)
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*marks, *(chr(0x4E00 + i) for i in range(30)), *"abcdefghijklmnopqrstuvwxy"]
    BertTokenizer(vocab={word: i for i, word in enumerate(words)}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(weights: Path, tokenizer: Path) -> Small:
    return Small(weights=weights, tokenizer=tokenizer, text_length=16)


def test_rows_are_those_of_the_public_code(encoder: Small):
    assert_allclose(encoder.encode([picture(0), picture(1)], "image")[:, :4], PICTURES, atol=2e-6)
    texts = ["".join(chr(0x4E00 + i - 5) for i in codes) for codes in ((10, 11, 12), range(20, 26))]
    assert_allclose(encoder.encode(texts, "text")[:, :4], TEXTS, atol=2e-6)


def test_a_picture_is_prepared_as_old_torchvision_did(encoder: Small):
    steps = [
        transforms.ToTensor(),
        transforms.Resize((96, 96), antialias=False),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
    theirs = transforms.Compose(steps)(picture(1)).numpy()
    assert_allclose(encoder.prepare(picture(1), "image"), theirs, atol=1e-6)


def test_the_contract_is_kept(encoder: Small):
    check_encoder(encoder)


def test_the_padded_length_is_part_of_the_recipe_because_it_moves_rows(weights: Path, tokenizer: Path):
    short, long = (Small(weights=weights, tokenizer=tokenizer, text_length=n) for n in (8, 40))
    texts = [chr(0x4E05) * 3]
    assert np.abs(short.encode(texts, "text") - long.encode(texts, "text")).max() > 1e-4
    assert (short.recipe()["text_length"], long.recipe()["text_length"]) == (8, 40)
    with pytest.raises(ParameterError, match="3 to 80"):
        Small(weights=weights, tokenizer=tokenizer, text_length=81).encode(texts, "text")


def test_the_published_size_has_the_published_number_of_tensors():
    with torch.device("meta"):
        net = brivl_net(Size())
    names = net.state_dict()
    assert len(net.imgencoder.state_dict()) == 908
    assert names["imgencoder.backbone.conv_head.weight"].shape == (2048, 512, 1, 1)
    assert names["imgencoder.learnable.imgAtt.layers.3.self_attn.in_proj_weight"].shape == (6144, 2048)
    assert names["imgencoder.learnable.max_pool.0.weight"].shape == (2048, 2048, 1, 1)
    assert names["textencoder.backbone.bert.embeddings.word_embeddings.weight"].shape == (21128, 768)
    assert names["textencoder.learnable.textAtt.layers.3.linear1.weight"].shape == (2048, 768)
    assert names["textencoder.learnable.textFC.fc2.bias"].shape == (2048,)


def test_the_boxes_are_a_grid_and_the_whole():
    boxes = np.array(box_edges(Size()))
    assert boxes.shape == (37, 4)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert_allclose(areas[:-1].sum(), areas[-1])
    assert_allclose(areas[-1], 456**2)
    assert_array_equal(boxes[1], [0, 76, 76, 152])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imgencoder.learnable.imgFC.fc2.bias": None}, r"has no imgencoder\.learnable\.imgFC\.fc2\.bias"),
        ({"textencoder.learnable.textFC.fc1.bias": torch.zeros(7)}, r"fc1\.bias of shape \(7,\)"),
        ({"visual.proj": torch.zeros(3)}, r"has visual\.proj"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(state: dict, tmp_path: Path, change: dict, message: str):
    changed = {k: v for k, v in {**state, **change}.items() if v is not None}
    torch.save({"learnable": changed}, tmp_path / "x.pth")
    with pytest.raises(DataError, match=message):
        load_brivl(tmp_path / "x.pth", SMALL)


def test_copies_of_training_and_the_prefix_of_parallel_training_are_left_out(state: dict):
    wrapped = {f"module.{name}": tensor for name, tensor in state.items()}
    copies = {name.replace("encoder.", "encoder_mom.", 1): tensor for name, tensor in wrapped.items()}
    assert needed(wrapped | copies).keys() == state.keys()


def test_what_is_missing_is_said(tokenizer: Path, weights: Path, tmp_path: Path):
    with pytest.raises(DataError, match="needs its weights, brivl-with"):
        Brivl().space()
    BertTokenizer(vocab={"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}).save_pretrained(
        tmp_path
    )
    with pytest.raises(DataError, match="knows 5 tokens, the model 60"):
        Small(weights=weights, tokenizer=tmp_path).encode(["a"], "text")
