from pathlib import Path

from alignkit.translators import training
from alignkit.translators._session import current_session


def test_a_session_holds_inside_its_block_and_ends_with_it(tmp_path):
    outside = current_session()
    with training(checkpoints=str(tmp_path), watch=print):
        assert current_session().checkpoints == Path(tmp_path)
        assert current_session().watch is print
    assert current_session() is outside
    assert outside.checkpoints is None
    assert outside.watch(1, 2, 0.5, 0.5) is None
