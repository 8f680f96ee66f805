"""Models of transformers from a folder or the hub: of the right kind, and whole."""

import json
import re
from pathlib import Path
from typing import Any

from alignkit._hub import loading
from alignkit.encoders._pixels import Pixels
from alignkit.encoders._weights import hub_refusal, import_extra
from alignkit.errors import DataError

HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
FILE_NAME = re.compile(r".*\.(pt|pth|ckpt|bin|safetensors)")
BICUBIC = 3  # Pillow's number for it, which is what such files store


def load_published(source: str, kind: str, model: str, *, local: str) -> Any:  # Any: a transformers model
    """Return the model in a folder that ``save_pretrained`` wrote, or of that name on the hub.

    ``kind`` is its type in ``config.json``, ``model`` its class in transformers; ``local`` says what may be
    given instead, for messages.

    Raises
    ------
    DataError
        If there is none, it is of another type, or a tensor is missing, unknown or of another shape.
    """
    path = Path(source)
    if not path.is_dir() and (FILE_NAME.fullmatch(path.name) or not HUB_NAME.fullmatch(source)):
        state = "are a file" if path.is_file() else "do not exist"
        raise DataError(
            f"the weights {source} {state}: give {local.removesuffix(',')}, or a name on the hub."
        )
    transformers = import_extra("transformers", f"a model of type {kind}", "hub")
    try:
        with loading(source):
            config = transformers.AutoConfig.from_pretrained(source)
            if config.model_type != kind:
                raise DataError(f"{source} holds a model of type {config.model_type!r}, not {kind!r}.")
            loaded, report = getattr(transformers, model).from_pretrained(source, output_loading_info=True)
    except DataError:
        raise
    except Exception as error:  # whatever the hub's client, safetensors or transformers raise
        raise _refusal(source, error, local) from error
    for trouble in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[trouble]:
            raise DataError(
                f"{source} has {trouble.replace('_', ' ')}, first {sorted(report[trouble])[0]}: it is of "
                "another model, or of another size of it."
            )
    return loaded


def pixels_of(source: str, *, local: str) -> Pixels:
    """Return how pictures are prepared, from the ``preprocessor_config.json`` beside a model.

    Raises
    ------
    DataError
        If there is none, or it asks for steps other than: resize (bicubic, to height and width, or the
        shortest edge and a crop of the middle), divide by 255, standardise.
    """
    hub = import_extra("transformers.utils", "preparing a picture", "hub")
    try:
        with loading(source):
            found = hub.cached_file(source, "preprocessor_config.json")
        facts = json.loads(Path(found).read_text(encoding="utf-8"))
    except Exception as error:  # whatever the hub's client raises, and what json does
        raise _refusal(source, error, local) from error
    size, crop = facts.get("size"), facts.get("crop_size")
    steps = [facts.get(f"do_{step}", True) for step in ("resize", "rescale", "normalize")]
    steps += [name in facts for name in ("image_mean", "image_std")]
    if all(steps) and isinstance(size, dict) and facts.get("resample", BICUBIC) == BICUBIC:
        standard = tuple(facts["image_mean"]), tuple(facts["image_std"])
        cropped = facts.get("do_center_crop", True)
        if not cropped and size.keys() == {"height", "width"}:
            return Pixels((size["height"], size["width"]), *standard, "bicubic", "squash")
        if (
            cropped
            and size.keys() == {"shortest_edge"}
            and crop == dict.fromkeys(("height", "width"), size["shortest_edge"])
        ):
            return Pixels((size["shortest_edge"],) * 2, *standard, "bicubic", "shortest")
    raise DataError(
        f"{source} prepares pictures in a way that is not known here (size {size}, crop {crop}): compute its "
        "rows elsewhere and use alignkit convert."
    )


def _refusal(source: str, error: Exception, local: str) -> DataError:
    if Path(source).is_dir():
        return DataError(f"{source} holds no readable model ({error}): write it again.")
    return hub_refusal(source, error, local)
