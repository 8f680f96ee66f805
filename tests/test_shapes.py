"""Array aliases: checked at run time where jaxtyping is, plain array types where it is not."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jaxtyping import TypeCheckError, jaxtyped

from alignkit.shapes import Gallery, Queries

arrays_only = runpy.run_path(str(Path(__file__).with_name("array_checker.py")))["arrays_only"]


@jaxtyped(typechecker=arrays_only)
def scores(queries: Queries, gallery: Gallery, unchecked: "not a type" = None) -> Any:  # noqa: F722
    return queries @ gallery.T


def test_one_letter_is_one_length():
    assert scores(np.ones((2, 5)), np.ones((3, 5))).shape == (2, 3)
    with pytest.raises(TypeCheckError, match="gallery"):
        scores(np.ones((2, 5)), np.ones((3, 4)))


def test_a_number_format_is_part_of_the_alias():
    with pytest.raises(TypeCheckError, match="queries"):
        scores(np.ones((2, 5), int), np.ones((3, 5)))


def test_the_base_without_jaxtyping_has_plain_arrays():
    code = (
        "import sys\nsys.modules['jaxtyping'] = None\nimport numpy as np\nfrom alignkit import shapes\n"
        "assert shapes.Vectors is shapes.Links is np.ndarray\nimport alignkit.pairs"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
