import subprocess
import sys

from alignkit import __version__
from alignkit.cli import COMMANDS


def test_python_dash_m_is_the_same_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "alignkit", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"alignkit {__version__}"


def test_help_lists_every_command_and_each_helps_with_an_example(alignkit):
    listed = alignkit("--help").out
    for name in COMMANDS:
        assert name in listed
        ran = alignkit(name, "--help")
        assert ran.code == 0
        assert f"alignkit {name}" in ran.out.split("Example", 1)[1], name


def test_an_interrupt_exits_with_130(alignkit, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("alignkit.cli.doctor._facts", interrupted)
    ran = alignkit("doctor")
    assert (ran.code, ran.err.strip()) == (130, "interrupted: nothing was written")


def test_errors_of_a_real_process_have_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "alignkit", "inspect", "nowhere.npy"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1
