"""What holds for all tests: examples bound a property test, not the clock of a machine that may be busy."""

from hypothesis import settings

settings.register_profile("rootcause", deadline=None)
settings.load_profile("rootcause")
