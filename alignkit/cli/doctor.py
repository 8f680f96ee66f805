"""``alignkit doctor``: what is installed, what is missing, and the command that installs it."""

from typing import Annotated, Any

import typer

from alignkit.cli._output import emit, emit_json

EXTRAS = {  # extra: (package it brings, what for)
    "torch": ("torch", "reads .pt and .pth files; adversarial; --device cuda"),
    "faiss": ("faiss-cpu", "indexes of the kinds ivf and hnsw"),
    "ot": ("POT", "gromov"),
    "media": ("soundfile", "reads pictures and sounds for embed (with pillow and soxr)"),
    "video": ("av", "reads films for embed"),
    "hub": ("transformers", "encoders of published models"),
    "openclip": ("open_clip_torch", "the encoder clip"),
    "app": ("streamlit", "explore (with plotly)"),
    "umap": ("umap-learn", "the view umap of explore"),
}


def command(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Report versions, processors and missing extras; nothing heavy is imported.

    Example: `alignkit doctor`
    """
    facts = _facts()
    if json:
        emit_json(facts)
        return
    emit(f"alignkit {facts['alignkit']} on Python {facts['python']}, {facts['system']}, {facts['cpus']} CPUs")
    for name, version in facts["base"].items():
        emit(f"  {name:<14} {version}")
    for extra, state in facts["extras"].items():
        answer = state["version"] or f"missing: {state['install']}"
        emit(f"extra {extra:<8} {answer}  ({state['what_for']})")


def _facts() -> dict[str, Any]:
    import os
    import platform
    from importlib import metadata

    from alignkit._version import __version__

    def version(package: str) -> str | None:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return None

    base = (
        "numpy",
        "scipy",
        "scikit-learn",
        "pyarrow",
        "safetensors",
        "pydantic",
        "typer",
        "rich",
        "matplotlib",
    )
    return {
        "schema": "alignkit.doctor/1",
        "alignkit": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "base": {name: version(name) for name in base},
        "extras": {
            extra: {
                "version": version(package),
                "what_for": what_for,
                "install": f"pip install 'alignkit[{extra}]'",
            }
            for extra, (package, what_for) in EXTRAS.items()
        },
    }
