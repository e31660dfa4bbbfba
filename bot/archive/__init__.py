"""What the recorder keeps of a cluster, in one SQLite file that does not grow beyond its limits.

One process writes (``keeping``), any number read (``reading``); neither knows a network.
"""
