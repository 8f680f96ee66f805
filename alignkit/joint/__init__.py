"""One frame for many spaces: the folder is the registry, one method a file."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.joint._base import JointAligner

JOINT_METHODS: "Registry[JointAligner]" = Registry("alignkit.joint", "JointAligner", "joint method")
