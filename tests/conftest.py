"""What holds for all tests: examples bound a property test, not the clock of a machine that may be busy; no model is asked.

Tests run side by side, a file in one process. What a test has to show (a rate, a table) it gives to `shown`; it is printed at the end.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("rootcause", deadline=None)
settings.load_profile("rootcause")

# a key set for other things must not be used by a test, nor paid for
for _name in list(os.environ):  # noqa: TID251 - what is not read cannot leak
    if _name.startswith(("ANTHROPIC_", "ROOTCAUSE_MODEL", "ROOTCAUSE_EFFORT", "ROOTCAUSE_BUDGET")):
        del os.environ[_name]  # noqa: TID251 - see above

_TABLES = pytest.StashKey[list[str]]()


def pytest_configure(config):
    """Begin with nothing to show."""
    config.stash[_TABLES] = []


@pytest.fixture(scope="session")
def shown(request):
    """Take a text to print at the end of the run, whichever process the test ran in."""
    return request.config.stash[_TABLES].append


def pytest_sessionfinish(session):
    """Hand what a worker has to show to the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tables"] = session.config.stash[_TABLES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker has to show; one that crashed has nothing."""
    node.config.stash[_TABLES] += getattr(node, "workeroutput", {}).get("tables", [])


def pytest_terminal_summary(terminalreporter, config):
    """Print what the tests had to show."""
    for text in sorted(config.stash[_TABLES]):
        terminalreporter.write_line("")
        terminalreporter.write_line(text)
