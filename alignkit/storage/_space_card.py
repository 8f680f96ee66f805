"""Cards of spaces: what the maker of some embeddings says of the model, for rows that were made elsewhere."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alignkit.errors import DataError
from alignkit.fingerprints import Fingerprint
from alignkit.formats import open_embeddings
from alignkit.spaces import Embeddings, Norm, Space
from alignkit.storage._json import read_json, refuse_field


class _CardModel(BaseModel):
    """What a card may hold; pydantic names the field that does not fit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1)
    dim: int | None = Field(default=None, ge=1)
    norm: Norm = "raw"
    revision: str = ""
    modality: str = ""
    licence: str = ""
    weights: str = ""
    recipe: dict[str, Any] = Field(default_factory=dict)  # Any: JSON
    fingerprint: dict[str, Any] | None = None


def claim_space(embeddings: Embeddings, card: Path) -> tuple[Embeddings, dict[str, Any]]:
    """Return the embeddings, said to be of the space that a card describes, and the card's recipe.

    A card is a JSON object with ``name`` and, as far as known, ``dim``, ``norm``, ``revision``, ``modality``,
    ``licence``, ``weights``, ``recipe`` and ``fingerprint``; or a ``.space`` of the same model.

    Raises
    ------
    DataError
        If the card cannot be read, or the rows have other dimensions.
    SpaceMismatchError
        If the embeddings say themselves that they come from another model.
    """
    if card.is_dir():
        model = open_embeddings(card)
        return _claimed(embeddings, model.space, model.modality, card), {}
    found = _read(card)
    if found.dim is not None and found.dim != embeddings.dim:
        raise DataError(
            f"{card} describes {found.dim} dimensions, {embeddings.name} has {embeddings.dim}: take the card "
            "of the model that made these rows."
        )
    mark = None if found.fingerprint is None else Fingerprint.from_json(found.fingerprint)
    space = Space(embeddings.dim, found.name, found.norm, found.revision, mark)
    facts = {name: getattr(found, name) for name in ("licence", "weights") if getattr(found, name)}
    return _claimed(embeddings, space, found.modality, card), {**found.recipe, **facts}


def _read(card: Path) -> _CardModel:
    whole = read_json(card, "a card of a space")
    try:
        return _CardModel.model_validate(whole)
    except ValidationError as error:
        refuse_field(card, error)


def _claimed(embeddings: Embeddings, space: Space, modality: str, card: Path) -> Embeddings:
    embeddings.space.check_meets(space, f"{embeddings.name}, said to be of the space of {card},")
    return embeddings.of_space(space, modality=modality or embeddings.modality)
