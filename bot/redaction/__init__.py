"""The egress gate: what a model, a chat or a tracker may be told. Pure: no I/O, no clock, nothing above this floor."""
