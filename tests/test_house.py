"""Hold the tests to their own rules: nothing thrown away, nothing unable to fail, one place for each."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "alignkit"
BOOLEAN = {"allclose", "array_equal", "array_equiv", "isclose", "equal", "equals", "all", "any"}
CHECKING = ("assert", "check", "raises", "warns", "fail", "parametrize_with_checks")

# tests of the whole, which have no module of their own
OF_THE_WHOLE = {
    "laion/test_parity.py",
    "test_analyses.py",
    "test_architecture.py",
    "test_docs.py",
    "test_doctests.py",
    "test_evidence.py",
    "test_house.py",
    "test_readme.py",
    "cli/test_main.py",
    "explorer/test_browser.py",
    "explorer/test_browser_crowd.py",
    "explorer/test_pages.py",
    "explorer/test_pages_at_length.py",
    "explorer/test_pages_of_pairs.py",
}
# modules that are tested through another module's file
COVERED_BY: dict[str, str] = {
    "retrieval/exact/counters.py": "retrieval/exact/test_ranks.py",
    "retrieval/exact/counting.py": "retrieval/exact/test_ranks.py",
    "cli/_evaluating.py": "cli/test_eval.py",
    **{
        f"gaps/{name}.py": "gaps/test_spectral.py"
        for name in ("effective_rank", "isotropy", "participation_ratio")
    },
    "retrieval/_direction.py": "retrieval/test_scoring.py",
    "retrieval/exact/homes.py": "retrieval/exact/test_counting.py",
    "retrieval/protocol.py": "retrieval/test_scoring.py",
    **{  # cards: what they state is tested together
        f"retrieval/protocols/{name}.py": "retrieval/protocols/test_card.py"
        for name in (
            *(
                "audiocaps",
                "clotho",
                "coco_1k_folds",
                "coco_5k",
                "desed_events",
                "esc50_5fold",
                "flickr30k_1k",
            ),
            *("flickr8k", "imagehear", "muse_dictionary", "urbansound8k_10fold", "vegas_5"),
            *("vggsound_309_map", "vggsound_class", "vggsound_instance"),
        )
    },
    **{
        f"judges/{name}.py": "judges/test_cosines.py"
        for name in ("clap_score", "clip_score", "clip_score_hessel")
    },
    **{f"decoders/{name}.py": "decoders/test_diffusion.py" for name in ("audioldm", "stable_unclip")},
    "retrieval/exact/scores.py": "retrieval/exact/test_ranks.py",
    "retrieval/exact/verdicts.py": "retrieval/exact/test_counting.py",
}

FILES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(TESTS.rglob("*.py"))}


def name_of(call: ast.AST | None) -> str:
    return getattr(call, "attr", getattr(call, "id", ""))


def thrown_away(tree: ast.AST) -> Iterator[int]:
    """Yield the lines whose statement is a comparison: its answer goes nowhere."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr):
            continue
        value = node.value
        while isinstance(value, ast.UnaryOp | ast.BoolOp):  # `not a == b`, `a == b and c == d`
            value = value.values[0] if isinstance(value, ast.BoolOp) else value.operand
        if isinstance(value, ast.Compare) or name_of(getattr(value, "func", None)) in BOOLEAN:
            yield node.lineno


def claims_in(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def can_fail(function: ast.FunctionDef, checkers: set[str]) -> bool:
    """Say whether a function asserts or raises, or calls something that does: by its name, or one of ours."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert | ast.Raise):
            return True
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name in checkers or name.strip("_").startswith(CHECKING):
                return True
    return False


def checkers_of(trees: Iterable[ast.AST]) -> set[str]:
    """Return the names of all functions that check something, themselves or through another one."""
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    checkers: set[str] = set()
    while more := {function.name for function in found if can_fail(function, checkers)} - checkers:
        checkers |= more
    return checkers


@pytest.mark.parametrize(
    "line",
    ["a == b", "np.allclose(a, b)", "not a == b", "a.equals(b)", "(a == b).all()", "a < b and c", "all(x)"],
)
def test_the_search_for_discarded_comparisons_finds_a_planted_one(line: str):
    planted = ast.parse(f"def test_x():\n    {line}\n")
    assert list(thrown_away(planted)) == [2]


@pytest.mark.parametrize("line", ["assert a == b", "same = a == b", "f(a == b)", "operator.eq(a, b)"])
def test_the_search_for_discarded_comparisons_leaves_used_ones_alone(line: str):
    assert list(thrown_away(ast.parse(line))) == []


def test_no_comparison_is_thrown_away():
    found = [
        f"{path.relative_to(TESTS)}:{line}" for path, tree in FILES.items() for line in thrown_away(tree)
    ]
    assert found == []


def test_the_search_for_toothless_tests_finds_a_planted_one():
    planted = ast.parse(
        "def check(x):\n    assert x\ndef test_a():\n    run()\ndef test_b():\n    check(1)\n"
    )
    toothless = [t.name for t in claims_in(planted) if not can_fail(t, checkers_of([planted]))]
    assert toothless == ["test_a"]


def test_every_test_can_fail():
    checkers = checkers_of(FILES.values())
    toothless = [
        f"{path.relative_to(TESTS)}:{test.lineno} {test.name}"
        for path, tree in FILES.items()
        for test in claims_in(tree)
        if not can_fail(test, checkers)
    ]
    assert toothless == []


def test_no_two_tests_of_a_file_share_a_name():
    """Python keeps the last of two functions with one name: the first would never run."""
    doubles = {
        str(path.relative_to(TESTS)): [
            name for name, count in Counter(t.name for t in claims_in(tree)).items() if count > 1
        ]
        for path, tree in FILES.items()
    }
    assert {path: names for path, names in doubles.items() if names} == {}


def homes(test_file: Path) -> list[Path]:
    """Return where the module that a test file mirrors may lie: public, private, or a package."""
    folder = PACKAGE / test_file.relative_to(TESTS).parent
    stem = test_file.stem.removeprefix("test_")
    return [folder / f"{stem}.py", folder / f"_{stem}.py", folder / stem / "__init__.py"]


def test_every_test_file_mirrors_a_module():
    stray = [
        str(path.relative_to(TESTS))
        for path in FILES
        if path.name.startswith("test_")
        and path.relative_to(TESTS).as_posix() not in OF_THE_WHOLE
        and not any(p.exists() for p in homes(path))
    ]
    assert stray == []


def test_every_public_module_has_its_tests():
    untested = []
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if any(part.startswith("_") for part in inside.parts):
            continue
        mirror = COVERED_BY.get(inside.as_posix(), str(inside.with_name(f"test_{inside.name}")))
        if not (TESTS / mirror).exists():
            untested.append(inside.as_posix())
    assert untested == []


def test_the_list_of_borrowed_tests_names_what_exists():
    for module, test in COVERED_BY.items():
        assert (PACKAGE / module).exists(), module
        assert (TESTS / test).exists(), test
