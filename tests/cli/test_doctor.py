import numpy as np


def test_doctor_names_installed_versions_and_install_commands(alignkit):
    facts = alignkit("doctor", "--json").json
    assert facts["base"]["numpy"] == np.__version__
    assert facts["extras"]["torch"]["install"] == "pip install 'alignkit[torch]'"
    table = alignkit("doctor")
    assert table.code == 0, table.err
    assert np.__version__ in table.out
