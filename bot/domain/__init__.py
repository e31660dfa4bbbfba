"""Frozen data and ports that every room shares; no I/O and no third-party imports here."""
