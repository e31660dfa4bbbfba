"""What holds for all tests: examples bound a property test, not the clock of a machine that may be busy; no model is asked."""

import os

from hypothesis import settings

settings.register_profile("rootcause", deadline=None)
settings.load_profile("rootcause")

# a key set for other things must not be used by a test, nor paid for
for _name in list(os.environ):  # noqa: TID251 - what is not read cannot leak
    if _name.startswith(("ANTHROPIC_", "ROOTCAUSE_MODEL", "ROOTCAUSE_EFFORT", "ROOTCAUSE_BUDGET")):
        del os.environ[_name]  # noqa: TID251 - see above
