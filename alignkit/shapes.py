"""Array aliases of every signature; the letters are the axis names of the glossary.

``n`` rows, ``d`` dimensions, ``ns``/``nt`` rows and ``ds``/``dt`` dimensions of source and target, ``dj``
dimensions of their joint frame, ``q`` queries, ``g`` gallery, ``m`` links, ``k`` neighbours, ``p`` positives,
``h`` hits of a run, ``t`` groups of tied items, ``c`` classes, ``r`` resamples. The tests check them at run
time through jaxtyping; without it (it is no dependency of the base) every alias is a plain array type.
"""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
else:
    try:
        from jaxtyping import Bool, Float, Int
    except ImportError:

        class _Plain:
            """Stand in for jaxtyping's subscriptable types."""

            def __class_getitem__(cls, item: tuple[type, str]) -> type:
                return item[0]

        Bool = Float = Int = _Plain

Vectors: TypeAlias = Float[np.ndarray, "n d"]
SourceVectors: TypeAlias = Float[np.ndarray, "n ds"]
TargetVectors: TypeAlias = Float[np.ndarray, "n dt"]
SourceRows: TypeAlias = Float[np.ndarray, "ns d"]
TargetRows: TypeAlias = Float[np.ndarray, "nt d"]
SourceCloud: TypeAlias = Float[np.ndarray, "ns ds"]
TargetCloud: TypeAlias = Float[np.ndarray, "nt dt"]
JointVectors: TypeAlias = Float[np.ndarray, "n dj"]
Queries: TypeAlias = Float[np.ndarray, "q d"]
Gallery: TypeAlias = Float[np.ndarray, "g d"]
ScoreMatrix: TypeAlias = Float[np.ndarray, "q g"]
Links: TypeAlias = Int[np.ndarray, "m 2"]
Labels: TypeAlias = Int[np.ndarray, " _"]
Mask: TypeAlias = Bool[np.ndarray, " _"]
Weights: TypeAlias = Float[np.ndarray, " m"]
PerQuery: TypeAlias = Float[np.ndarray, " q"]
QueryCounts: TypeAlias = Int[np.ndarray, " q"]
ItemPlaces: TypeAlias = Int[np.ndarray, " g"]
QueryPlaces: TypeAlias = Int[np.ndarray, " q"]
PerItem: TypeAlias = Float[np.ndarray, " g"]
ItemCounts: TypeAlias = Int[np.ndarray, " g"]
Nearest: TypeAlias = Int[np.ndarray, "q k"]
QueryNeighbours: TypeAlias = Float[np.ndarray, "q k"]
PerPositive: TypeAlias = Int[np.ndarray, " p"]
PerHit: TypeAlias = Int[np.ndarray, " h"]
PerTieGroup: TypeAlias = Int[np.ndarray, " t"]
Relevance: TypeAlias = Int[np.ndarray, "q g"]
ClassScores: TypeAlias = Float[np.ndarray, "n c"]
Membership: TypeAlias = Bool[np.ndarray, "n c"]
ClassRows: TypeAlias = Float[np.ndarray, "c dt"]
PerClass: TypeAlias = Float[np.ndarray, "r c"]
PerResample: TypeAlias = Float[np.ndarray, " r"]
Samples: TypeAlias = Float[np.ndarray, " _"]  # of a sound: as many as it has
Frames: TypeAlias = Float[np.ndarray, "frames window"]
Spectrogram: TypeAlias = Float[np.ndarray, "frames bands"]
Filters: TypeAlias = Float[np.ndarray, "frequencies bands"]
UnitRow: TypeAlias = Float[np.ndarray, " d"]
