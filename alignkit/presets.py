"""Named recipes: a method, its parameters and its frames as a paper or its code has them.

Where a method or a preset is accepted, ``rcsls`` means the method with our own defaults and
``rcsls-published`` the recipe of its paper; `preset` knows the recipe by both names.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from alignkit.aligners import METHODS
from alignkit.errors import UnknownNameError

if TYPE_CHECKING:
    from alignkit.aligners._base import Aligner

Frames: TypeAlias = Literal["pairs", "all"]

MUSE = "Conneau et al. (2018), Word translation without parallel data (facebookresearch/MUSE)"
VECMAP = "Artetxe, Labaka and Agirre (2018), Generalizing and improving bilingual word embedding mappings"


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe that a paper or its code is known by.

    Parameters
    ----------
    method
        The method that `METHODS` knows.
    params
        Parameters of the method; those that are not named keep their defaults.
    frames
        Whether means and scales are those of the rows in the pairs, or of all rows of both sides (each
        counted once), as tools do that read whole vocabularies.
    paper
        Whose recipe it is, in one line.
    differences
        What is known to differ from the original, in one line.

    Examples
    --------
    >>> preset("vecmap-supervised").make()
    WhitenedRotation()
    """

    method: str
    params: Mapping[str, Any]
    frames: Frames
    paper: str
    differences: str

    def make(self) -> "Aligner":
        """Return the method with these parameters, not fitted."""
        return METHODS.get(self.method)(**self.params)


def _of(method: str, params: dict[str, Any], frames: Frames, paper: str, differences: str) -> Preset:
    return Preset(method, MappingProxyType(params), frames, paper, differences)


def _clip2clap(layers: int, clamp: float) -> dict[str, Preset]:
    """Return the repaired and the faithful recipe of one of CLIP2CLAP's networks."""
    name = {1: "clip2clap-linear"}.get(layers, f"clip2clap-{layers}layer")
    network = {"layers": layers, "hidden": None, "activation": "tanh", "dropout": 0.0, "start": "drawn"}
    learning = {"batch": 32, "epochs": 40, "rate": 1e-3, "schedule": "constant", "warmup": 0.0, "seed": 420}
    coded = {
        "loss": "inverse_distance_published",
        "margin_step": 0.03,
        "clamp": clamp,
        "normalize": "none",
        **{"clip": 0.0, "ema": 0.0, "validation": 0.0},
    }
    source = f"CLIP2CLAP (y4umeng/CLIP2CLAP), {layers} linear layer{'s' * (layers > 1)}"
    repaired = {"loss": "inverse_distance", "temperature": 1.0}
    return {
        name: _of(
            "mlp",
            network | learning | repaired,
            "pairs",
            f"{source}, repaired",
            "both directions, learned temperature, unit frames, no false negatives, early stop, no clamp",
        ),
        f"{name}-faithful": _of(
            "mlp",
            network | learning | coded,
            "pairs",
            f"{source}, as its code trains it, defects included",
            "other random numbers are drawn; a loss that is no number stops the run; copies are one pair",
        ),
    }


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        **_clip2clap(1, 0.3),
        **_clip2clap(2, 0.3),
        **_clip2clap(4, 0.2),
        "muse-supervised": _of(
            "refinement",
            {"rounds": 5, "dictionary": "mutual", "max_rank": 10_000, "normalize": "none"},
            "all",
            f"{MUSE}: Procrustes on raw rows, 5 refinements",
            "the round is chosen without labels, not on the test dictionary; the cut is at 10,000 rows",
        ),
        "muse-unsupervised": _of(
            "adversarial",
            {
                "settings": "coded",
                "rounds": 5,
                "dictionary": "forward",
                "max_rank": 15_000,
                "normalize": "none",
            },
            "all",
            f"{MUSE}: adversarial start, 5 refinements, with the settings of the code",
            "it says when it failed; vocabularies below 75,000 rows work; other random numbers are drawn",
        ),
        "vecmap-supervised": _of(
            "whitened_rotation",
            {
                "whiten": True,
                "source_power": 0.5,
                "target_power": 0.5,
                "dewhiten": True,
                "normalize": "unit-center-unit",
            },
            "all",
            f"{VECMAP}, with symmetric re-weighting (vecmap --supervised)",
            "none known: the same neighbours were found on the word pair of benchmarks/words.py",
        ),
        "vecmap-unsupervised": _of(
            "self_learning",
            {
                "search": "stochastic",
                "start_rows": 4000,
                "cutoff": 20_000,
                "keep": 0.1,
                "patience": 50,
                "reweight": True,
                "restarts": 1,
                "normalize": "unit-center-unit",
            },
            "all",
            "Artetxe, Labaka and Agirre (2018), A robust self-learning method (vecmap --unsupervised)",
            "it says when it failed; the last whitening is regularised; other random numbers are drawn",
        ),
        "vecmap-aaai18": _of(
            "whitened_rotation",
            {
                "whiten": True,
                "source_power": 0.0,
                "target_power": 1.0,
                "dewhiten": True,
                "normalize": "unit-center",
            },
            "all",
            f"{VECMAP}, the system of that paper (vecmap --aaai2018)",
            "none known; it was not run beside the original",
        ),
        "rcsls-published": _of(
            "rcsls",
            {"steps": 10, "rate": 0.082, "spectral": False, "normalize": "unit"},
            "all",
            "Joulin et al. (2018), Loss in translation (facebookresearch/fastText/alignment, its example)",
            "a step that raises the loss is taken back in fact; rate 0.082 is lr 25 in benchmarks/words.py",
        ),
        "alignkit-supervised": _of(
            "refined_cca",
            {},
            "all",
            "no paper's recipe: canonical correlation, tuned on training pairs, then on its own matches too",
            "none, being ours: the best in benchmarks/words.py and benchmarks/dictionary.py",
        ),
    }
)

OTHER_NAMES: Mapping[str, str] = MappingProxyType({"rcsls": "rcsls-published"})


def names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(PRESETS)


def preset(name: str) -> Preset:
    """Return the preset called ``name``, written with ``-`` or ``_``.

    Raises
    ------
    UnknownNameError
        If there is none; the message suggests the nearest name.

    Examples
    --------
    >>> preset("muse_supervised").method, preset("muse-supervised").params["rounds"]
    ('refinement', 5)
    """
    return PRESETS[_checked(name)]


def summary(name: str) -> str:
    """Return one line: whose recipe the preset is.

    Examples
    --------
    >>> summary("rcsls").partition(",")[0]
    'Joulin et al. (2018)'
    """
    return preset(name).paper


def _checked(name: str) -> str:
    canonical = name.replace("_", "-").lower()
    canonical = OTHER_NAMES.get(canonical, canonical)
    if canonical in PRESETS:
        return canonical
    near = difflib.get_close_matches(canonical, PRESETS, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownNameError(f"no preset named {name!r}.{hint} Known: {', '.join(names())}.")
