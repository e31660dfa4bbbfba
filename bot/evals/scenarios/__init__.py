"""The incidents that can be simulated, one file each; the registry is in ``simulate``."""
