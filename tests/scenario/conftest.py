"""A small export and the case that comes of it, made once; and a home that bots have used before."""

import pytest
from command import kept, rootcause, small_export
from durable_home import prepared

__all__ = ["prepared"]


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """A small whole export."""
    return small_export(tmp_path_factory.mktemp("export") / "incident")


@pytest.fixture(scope="session")
def case(export, tmp_path_factory):
    """The case file that comes of the small export."""
    home = tmp_path_factory.mktemp("made") / "cases"
    assert rootcause(home, "analyze", export, "--quiet").code in {0, 3, 4}
    return home / kept(home)[0]


@pytest.fixture
def home(tmp_path):
    """A folder for cases that does not exist yet."""
    return tmp_path / "cases"
