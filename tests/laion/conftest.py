"""LAION's own code with random weights, and a hub folder of our making from which it is fed offline."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

WORDS = [
    "a dog barks while rain falls on a tin roof",
    "somebody laughs, and a door slams shut twice",
    "the engine of an old boat runs, then stops",
    "church bells ring far away over quiet water",
]
REVISION = "0" * 40  # the hub keeps every revision in a folder of this many hex digits
LENGTH = 514  # positions of roberta-base


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a tokenizer and a random roberta-base, where LAION's code looks for the hub's."""
    if importlib.util.find_spec("laion_clap") is None:
        pytest.skip("laion_clap is not installed here: `make test-laion` makes an environment that has it")
    if "huggingface_hub" in sys.modules:
        pytest.skip("huggingface_hub has already settled where its files lie: run tests/laion by itself")
    home = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(home))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.delenv("HF_HUB_CACHE", raising=False)
        repository = home / "hub" / "models--roberta-base"
        snapshot = repository / "snapshots" / REVISION
        snapshot.mkdir(parents=True)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(REVISION)
        write_roberta(snapshot, write_vocabulary(snapshot))
        yield snapshot


def write_vocabulary(folder: Path) -> int:
    """Write a byte-pair vocabulary learnt from a few captions; return how many tokens it has."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(WORDS * 4, vocab_size=360, min_frequency=1, special_tokens=special)
    tokenizer.save_model(str(folder))
    return tokenizer.get_vocab_size()


def write_roberta(folder: Path, words: int) -> None:
    """Write a roberta-base of random weights: true but for its vocabulary."""
    from transformers import RobertaConfig, RobertaModel

    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=words,
        max_position_embeddings=LENGTH,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    RobertaModel(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def original(hub: Path) -> Callable[..., torch.nn.Module]:
    """Return the function that makes LAION's module: random weights in it, and no step of training."""
    import laion_clap

    def make(amodel: str, *, fusion: bool) -> torch.nn.Module:
        torch.manual_seed(1)
        clap = laion_clap.CLAP_Module(enable_fusion=fusion, amodel=amodel, device="cpu").eval()
        for name, tensor in clap.model.state_dict().items():  # what begins at 0 or 1 hides what is left out
            if tensor.dtype.is_floating_point and tensor.ndim == 1 and "extractor" not in name:
                noise = 0.1 * torch.randn_like(tensor)
                tensor.copy_(tensor * noise.exp() if name.endswith("running_var") else tensor + noise)
        return clap

    return make


@pytest.fixture(scope="session")
def captions() -> list[str]:
    return [*WORDS, "rain " * 100]  # the last is cut
