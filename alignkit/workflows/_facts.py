"""What every report says about its inputs, so that a number can be repeated."""

from importlib import metadata
from typing import Any

from alignkit._version import __version__
from alignkit.reports import Report
from alignkit.spaces import Embeddings


def facts_of(embeddings: Embeddings) -> dict[str, Any]:
    """Return the JSON-able identity of one side."""
    return {
        "name": embeddings.name,
        "rows": len(embeddings),
        "dim": embeddings.dim,
        "dtype": str(embeddings.vectors.dtype),
        "modality": embeddings.modality,
        "space": embeddings.space.name,
        "revision": embeddings.space.revision,
    }


def versions() -> dict[str, str]:
    """Return the versions that stand behind a number."""
    return {
        "alignkit": __version__,
        **{name: metadata.version(name) for name in ("numpy", "scipy", "scikit-learn")},
    }


def held_out_json(method: str, report: Report, written: str | None) -> dict[str, Any]:
    """Return the object that a fit with held-out scores prints."""
    whole = report.to_json()
    return {
        "schema": whole["schema"],
        "method": method,
        "held_out": {section: whole[section] for section in report.sections},
        "written": written,
        "context": whole["context"],
    }
