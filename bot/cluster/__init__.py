"""Kubernetes' API as those need it who read or watch a cluster: raw bodies, limits that hold, failures as sentences.

Only get, list and watch are asked for, and reviews of one's own rights; nothing is ever changed.
"""
