"""Several spaces in one joint frame: project any of them, and map any one to any other."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.aligners._chain import Meeting
from alignkit.aligners._recipe import method_name, take_apart
from alignkit.alignment import Alignment
from alignkit.errors import DataError, SpaceMismatchError, UnknownNameError
from alignkit.joint._items import labels_of, stem_of
from alignkit.rows import Rows
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space

JOINT = "joint"  # what a selector calls the joint frame itself


@dataclass(frozen=True, slots=True)
class Member:
    """One space of a joint alignment: what it is called there, its identity, what was embedded."""

    label: str
    space: Space
    modality: str = ""

    def __str__(self) -> str:
        kind = f", {self.modality}" if self.modality else ""
        return f"{self.label} ({self.space}{kind})"


@dataclass(frozen=True, slots=True, eq=False)
class JointAlignment:
    """Hold one map per space into one joint frame, and refuse rows of any other space.

    Parameters
    ----------
    method
        Name of the joint method.
    maps
        One fitted map per space; `JointAligner` says what it does.
    members
        The spaces, in the same order, with labels of which no two are alike.
    info
        Where it comes from, as JSON.

    Raises
    ------
    DataError
        If the maps do not lead from the members' dimensions into one frame, or two labels are alike.

    Examples
    --------
    >>> from alignkit.joint.generalized_procrustes import GeneralizedProcrustes
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 3))
    >>> sides = [Embeddings(rows, name=name) for rows, name in ((X, "a"), (-X, "b"), (X[:, ::-1], "c"))]
    >>> maps = GeneralizedProcrustes(normalize="none").fit([side.vectors for side in sides]).maps_
    >>> joint = JointAlignment.of("generalized_procrustes", maps, sides)
    >>> bool(np.allclose(joint.between("c", "b").apply(sides[2]).array(), -X))
    True
    """

    method: str
    maps: tuple[Aligner, ...]
    members: tuple[Member, ...]
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.maps) != len(self.members):
            raise DataError(f"there are {len(self.maps)} maps for {len(self.members)} spaces: give one each.")
        for aligner, member in zip(self.maps, self.members, strict=True):
            if aligner.n_features_in_ != member.space.dim:
                raise DataError(
                    f"the map of {member} takes {aligner.n_features_in_} dimensions: name the space that it "
                    "was fitted on."
                )
        dims = sorted({aligner.target_dim_ for aligner in self.maps})
        if len(dims) > 1:
            raise DataError(
                f"the maps lead into frames of {dims} dimensions, not into one: fit them together."
            )
        labels = [member.label for member in self.members]
        if len(set(labels)) < len(labels):
            raise DataError(f"two spaces share a label among {labels}: name each one differently.")

    @classmethod
    def of(
        cls,
        method: str,
        maps: tuple[Aligner, ...],
        sides: Sequence[Embeddings],
        info: dict[str, Any] | None = None,
    ) -> "JointAlignment":
        """Return the joint alignment of the embeddings on which the maps were fitted, in the same order."""
        members = tuple(
            Member(label, side.space, side.modality)
            for label, side in zip(labels_of(sides), sides, strict=True)
        )
        return cls(method, maps, members, info or {})

    @property
    def frame(self) -> Space:
        """The joint frame as a space; its revision is the digest of the maps, so no two fits meet in one."""
        state = hashlib.sha256()
        for aligner in self.maps:
            for name, array in sorted(aligner.arrays().items()):
                state.update(name.encode())
                state.update(np.ascontiguousarray(array).data)
        return Space(
            self.maps[0].target_dim_, f"{JOINT}/{self.method}", "raw", f"sha256:{state.hexdigest()[:16]}"
        )

    def between(self, source: int | str, target: int | str) -> Alignment:
        """Return the alignment of two of the spaces, by number (from 0), label, space or modality.

        It projects either side by that space's own map into the joint frame. Its `apply` goes on from
        there into the target's own frame, means and lengths restored.

        Raises
        ------
        UnknownNameError
            If a name is that of none of the spaces, or of several.
        """
        a, b = self.find(source), self.find(target)
        aligner = Meeting(self.maps[a], self.maps[b])
        source_space, target_space = self.members[a].space, self.members[b].space
        method = method_name(take_apart(aligner))
        return Alignment(method, aligner, source_space, target_space, self._info(a, b))

    def into(self, source: int | str) -> Alignment:
        """Return the alignment from one of the spaces to the joint frame itself."""
        a = self.find(source)
        aligner = self.maps[a]
        return Alignment(
            method_name(take_apart(aligner)), aligner, self.members[a].space, self.frame, self._info(a)
        )

    def project(self, which: int | str, rows: Embeddings | Rows) -> Vectors:
        """Return rows of one of the spaces in the joint frame, in which items are compared by cosine."""
        which = self.find(which)
        return self.between(which, which).project_source(rows)

    def find(self, name: int | str) -> int:
        """Return the number of the space that is called so: a number from 0, a label, a space, a modality.

        Raises
        ------
        UnknownNameError
            If none is, or several are.
        """
        return find_member(self.members, name)

    def member_of(self, embeddings: Embeddings, *, other_than: int | None = None) -> int:
        """Return the number of the space from which the rows come.

        Where several meet their space, that of the same modality, or else of the same file name, is meant.

        Raises
        ------
        SpaceMismatchError
            If they may come from none of the spaces, or from several.
        """
        found = [i for i, m in enumerate(self.members) if i != other_than and m.space.meets(embeddings.space)]
        alike = (
            [i for i in found if embeddings.modality and self.members[i].modality == embeddings.modality],
            [i for i in found if self.members[i].label == stem_of(embeddings.name)],
        )
        for same in alike:
            found = same if same and len(found) > 1 else found
        if len(found) == 1:
            return found[0]
        state = "may come from several" if found else "come from none"
        raise SpaceMismatchError(
            f"the rows of {embeddings.name} ({embeddings.space}) {state} of the spaces of this joint "
            f"alignment: {self._listed()}. Choose two by name: X.joint::{self.members[0].label}:"
            f"{self.members[1].label}."
        )

    def _info(self, *numbers: int) -> dict[str, Any]:
        return {"joint": self.info, "members": [self.members[i].label for i in numbers]}

    def _listed(self) -> str:
        return ", ".join(map(str, self.members))


def find_member(members: Sequence[Member], name: int | str) -> int:
    """Return the number of the one member that is called so; raise UnknownNameError unless there is one."""
    text = str(name)
    if text.isdecimal() and int(text) < len(members):
        return int(text)
    for called in (
        [member.label for member in members],
        [member.space.name for member in members],
        [member.modality for member in members],
    ):
        found = [i for i, own in enumerate(called) if own == text and text]
        if len(found) == 1:
            return found[0]
    known = ", ".join(f"{number} {member.label}" for number, member in enumerate(members))
    raise UnknownNameError(
        f"{text!r} names none of the spaces, or several: choose a number or a label of {known}."
    )
