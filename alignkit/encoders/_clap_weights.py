"""A CLAP's model and tokenizer from wherever they lie: read once, checked, then kept."""

from pathlib import Path
from typing import Any

from alignkit.encoders._laion_file import load_laion
from alignkit.encoders._once import Once
from alignkit.encoders._placing import placing
from alignkit.encoders._published import load_published
from alignkit.encoders._tokenizers import Tokens, read_tokenizer
from alignkit.encoders._weights import digest_of_state

DEFAULT = "laion/clap-htsat-unfused"
TOKENIZER = "roberta-base"  # what LAION's files were trained with; they hold none
CONFIG = "a folder written by save_pretrained, or LAION's .pt file"


class ClapWeights:
    """Read a model when it is first asked for, by whichever thread, and a tokenizer when it is."""

    def __init__(self, source: Path | str | None, tokenizer: Path | str | None, device: str, dtype: str):
        self.source, self.device, self.dtype = str(source or DEFAULT), device, dtype
        self._asked_tokenizer = tokenizer
        self._ready = Once(self._read)
        self.tokens = Once(self._read_tokenizer)

    @property
    def model(self) -> Any:  # Any: a transformers.ClapModel
        """The model, on its device, in evaluation mode.

        Raises
        ------
        DataError
            If the weights are missing, damaged or of another model.
        """
        return self._ready()[0]

    @property
    def revision(self) -> str:
        """The digest of the weights as they are stored, whatever they are computed in."""
        return self._ready()[1]

    def _read_tokenizer(self) -> Tokens:
        beside = TOKENIZER if Path(self.source).is_file() else self.source
        return read_tokenizer(
            str(self._asked_tokenizer or beside),
            self.model.config.text_config.vocab_size,
            files="vocab.json and merges.txt",
            usual="LAION's files hold none; theirs is roberta-base",
        )

    def _read(self) -> tuple[Any, str]:
        place = placing(self.device, self.dtype, "CLAP")
        model = self._load()
        revision = digest_of_state(model.state_dict())
        return model.to(*place).eval(), revision

    def _load(self) -> Any:  # Any: a transformers.ClapModel
        if Path(self.source).is_file():
            return load_laion(self.source)
        return load_published(self.source, "clap", "ClapModel", local=CONFIG)
