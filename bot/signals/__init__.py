"""Detectors: from raw items to signals, tested links and chains; pure, one detector a file, no I/O."""
