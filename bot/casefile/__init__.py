"""One investigation in one SQLite file: written once, then read, searched and cited."""
