"""Sentence models pool the tokens of one text at a time, as their folder says, or are refused."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.encoder_checks import check_encoder
from alignkit.encoders.sentence import Sentence
from alignkit.errors import DataError, MissingExtraError, ParameterError

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

WORDS = [
    *["a", "red", "square", "on", "white", "paper", "dog", "barks"],
    "twice",
    "rain",
    "tin",
    "roof",
    "at",
    "night",
    "the",
    "7",
]
TEXTS = ["a dog barks", "rain on a tin roof at night", "7", "the dog"]
MODULES = [
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a BERT of two small layers of random weights, and its tokenizer of twenty words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder = tmp_path_factory.mktemp("sentence") / "plain"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: number for number, word in enumerate([*special, *dict.fromkeys(WORDS)])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=16, **names)
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(folder)
    return folder


def packaged(plain: Path, folder: Path, modules: list[dict], pooling: dict) -> Path:
    """Copy the model with sentence-transformers' own files beside it."""
    import shutil

    shutil.copytree(plain, folder)
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": 5, "do_lower_case": True})
    )
    return folder


def tokens_of(plain: Path, text: str, length: int = 16) -> np.ndarray:
    """Return the rows of one text's tokens, encoded alone and without filling up."""
    model = transformers.AutoModel.from_pretrained(plain).eval()
    given = transformers.AutoTokenizer.from_pretrained(plain)(
        text, truncation=True, max_length=length, return_tensors="pt"
    )
    with torch.inference_mode():
        return model(**given).last_hidden_state[0].double().numpy()


@pytest.mark.parametrize(
    ("pooling", "by_hand"),
    [("mean", lambda s: s.mean(axis=0)), ("cls", lambda s: s[0]), ("max", lambda s: s.max(axis=0))],
)
def test_rows_are_the_pooled_tokens_of_each_text_alone(plain: Path, pooling: str, by_hand):
    rows = Sentence(weights=plain, pooling=pooling).encode(TEXTS, "text")
    assert_allclose(rows, [by_hand(tokens_of(plain, text)) for text in TEXTS], atol=1e-6)


def test_a_folder_of_sentence_transformers_says_how_it_is_pooled(plain: Path, tmp_path: Path):
    said = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True, "word_embedding_dimension": 32}
    folder = packaged(plain, tmp_path / "st", MODULES, said)
    encoder = Sentence(weights=folder)
    first = np.stack([tokens_of(plain, text, 5)[0] for text in TEXTS])
    unit = first / np.linalg.norm(first, axis=1, keepdims=True)
    assert_allclose(encoder.encode([text.upper() for text in TEXTS], "text"), unit, atol=1e-6)
    assert encoder.space().norm == "unit"
    facts = encoder.recipe()
    assert (facts["pooling"], facts["normalize"], facts["max_length"]) == ("cls", True, 5)
    stated = Sentence(weights=folder, pooling="mean", normalize=False, max_length=8).recipe()
    assert (stated["pooling"], stated["normalize"], stated["max_length"]) == ("mean", False, 8)
    assert stated["weights_sha256"] == facts["weights_sha256"] == Sentence(weights=plain).space().revision


def test_it_keeps_the_contract(plain: Path):
    check_encoder(Sentence(weights=str(plain)))
    check_encoder(Sentence(weights=str(plain), normalize=True, pooling="max"))


def test_a_text_is_cut_after_as_many_tokens_as_are_stated(plain: Path):
    long = " ".join(WORDS)
    rows = Sentence(weights=plain, max_length=4).encode([long, "a red"], "text")
    assert_allclose(rows[0], rows[1], atol=1e-6)
    assert Sentence(weights=plain).recipe()["max_length"] == 16


@pytest.mark.parametrize(
    ("modules", "pooling", "message"),
    [
        (
            [*MODULES[:2], {"type": "sentence_transformers.models.Dense"}],
            {},
            "lists Transformer, Pooling, Dense",
        ),
        (MODULES[:2], {"pooling_mode_weightedmean_tokens": True}, "pools by .'pooling_mode_weightedmean"),
        (MODULES[:2], {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, "one at a time"),
    ],
)
def test_layers_that_are_not_known_are_refused(plain: Path, tmp_path: Path, modules, pooling, message):
    with pytest.raises(DataError, match=message):
        Sentence(weights=packaged(plain, tmp_path / "st", modules, pooling)).space()


def test_damaged_and_foreign_folders_are_refused(plain: Path, tmp_path: Path):
    import shutil

    from safetensors.torch import load_file, save_file

    def changed(name: str) -> Path:
        return Path(shutil.copytree(plain, tmp_path / name))

    state = load_file(plain / "model.safetensors")
    key = next(name for name in state if "layer.1" in name)
    lacking = changed("lacking")
    kept = {name: tensor for name, tensor in state.items() if name != key}
    save_file(kept, lacking / "model.safetensors", metadata={"format": "pt"})
    cut = changed("cut")
    (cut / "model.safetensors").write_bytes(b"\x08")
    mute = changed("mute")
    described = json.loads((mute / "tokenizer.json").read_text())
    described["model"]["vocab"] = {"[UNK]": 0, "a": 1}
    described["added_tokens"], described["post_processor"] = [], None
    (mute / "tokenizer.json").write_text(json.dumps(described))
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        (mute / name).unlink(missing_ok=True)
    (mute / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    for folder, message in (
        (lacking, "has missing keys, first .*layer.1"),
        (cut, "holds no readable sentence model"),
        (mute, "knows 2 tokens, the model"),
        (tmp_path, "holds no readable sentence model"),
        (tmp_path / "none", "is no folder and no name on the hub"),
    ):
        with pytest.raises(DataError, match=message):
            Sentence(weights=folder).space()


def test_a_name_on_the_hub_without_network_names_the_local_way(monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    def absent(*_, **__):
        raise OSError("offline")

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", absent)
    with pytest.raises(
        DataError, match=r"'sentence-transformers/all-MiniLM-L6-v2' are neither.*--weights PATH"
    ):
        Sentence().space()


@pytest.mark.parametrize("params", [{"pooling": "sum"}, {"dtype": "int8"}, {"max_length": 2}])
def test_options_that_make_no_sense_are_refused(plain: Path, params):
    with pytest.raises(ParameterError, match=next(iter(params))):
        Sentence(weights=plain, **params).recipe()


def test_a_missing_library_names_the_command_that_installs_it(plain: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        MissingExtraError, match=r"sentence needs transformers: pip install 'alignkit\[hub\]'"
    ):
        Sentence(weights=plain).space()
