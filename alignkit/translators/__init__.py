"""Maps that are trained: networks between two spaces, under the contract of every aligner.

A file here is a method, as in `alignkit.aligners`: ``translators/mlp.py`` *is* ``--method mlp``.
"""

from alignkit.translators._session import training as training
