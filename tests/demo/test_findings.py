from alignkit.demo import _words, findings
from alignkit.demo.tour import METHODS


def test_every_method_measure_and_variant_has_its_row(tour):
    retrieval, gap, look = (
        section(tour)
        for section in (findings.retrieval_section, findings.gap_section, findings.audition_section)
    )
    for method in METHODS:
        assert retrieval.count(f'<th scope="row">{_words.METHODS[method]}</th>') == 2
        assert f'<th scope="col">{_words.METHODS[method]}</th>' in gap
    for floor in ("unaligned", "chance"):
        assert retrieval.count(f'<th scope="row">{floor}<') == 2
    measured = tour.gaps["before"].sections["measures"]
    assert set(_words.MEASURES) == set(measured)
    for name, _ in _words.MEASURES.values():
        assert f'<th scope="row">{name}<' in gap
    for name, _ in _words.VARIANTS.values():
        assert f'<th scope="row">{name}<' in look


def test_the_grid_shows_one_held_out_digit_of_each_class(tour):
    look = findings.audition_section(tour)
    for digit in range(10):
        assert look.count(f'alt="{digit}, ') == len(_words.VARIANTS)
