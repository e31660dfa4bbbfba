"""What a path may tell about a log: namespace, pod, container, rotation. Hints only; content decides what a file is.

Known: the recommended layout, ``kubectl cluster-info dump`` (``<ns>/<pod>/logs.txt``), a Troubleshoot support bundle
(``cluster-resources/pods/logs/<ns>/<pod>/<container>.log``, ``<collector>/<pod>/<container>.log``), a node's
``/var/log/pods`` and ``/var/log/containers``, and loose ``<pod>.log`` files.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PACKED = re.compile(r"\.(?:gz|gzip|zst|zstd|bz2|xz)$")
_ROTATED = re.compile(r"[.-](?:(\d{1,4})|(\d{8}(?:[-.T]?\d{4,6})?))$")
_LOG_SUFFIX = re.compile(r"\.(?:log|txt|out|err|jsonl|ndjson|json)$")
_PREVIOUS = re.compile(r"[._-]prev(?:ious)?$")
_POD_OF_WORKLOAD = re.compile(r".+-(?:[a-z0-9]{6,10}-[a-z0-9]{5}|[0-9]{8}-[a-z0-9]{5}|[a-z0-9]{5}|\d{1,3})$")
_NODE_POD_FOLDER = re.compile(r"([a-z0-9.-]+)_([a-z0-9.-]+)_[0-9a-f-]{32,36}$")
_NODE_CONTAINER_FILE = re.compile(r"([a-z0-9.-]+)_([a-z0-9.-]+)_([a-z0-9.-]+)-[0-9a-f]{64}$")
_ROOMS = frozenset({"kubernetes", "cluster-resources", "pods", "logs", "pod-logs", "previous", "log", "var", "loki"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a log comes from, as far as its path tells; ``age`` sorts rotated files oldest first."""

    namespace: str | None
    pod: str | None
    container: str | None
    previous: bool
    age: tuple[int, str]


def stem(path: str) -> str:
    """Give a file's name without folders, compression, rotation and the usual endings."""
    name = _PACKED.sub("", path.rsplit("/", 1)[-1])
    if rotated := _rotation(name):
        name = name[: rotated.start()]
    return _LOG_SUFFIX.sub("", name)


def says_log(path: str) -> bool:
    """Tell whether a name is one that logs carry."""
    name = _PACKED.sub("", path.rsplit("/", 1)[-1])
    if rotated := _rotation(name):
        name = name[: rotated.start()]
    return name.endswith((".log", ".out", ".err")) or name == "logs.txt"


def _rotation(name: str) -> re.Match[str] | None:
    found = _ROTATED.search(name)
    return found if found and re.search(r"\.(?:log|txt|out|err)$", name[: found.start()]) else None


def _age(path: str) -> tuple[int, str]:
    name = _PACKED.sub("", path.rsplit("/", 1)[-1])
    found = _rotation(name)
    if found is None:
        return (1, "")  # the live file comes last
    return (-int(found[1]), "") if found[1] else (0, found[2])


def place_of(path: str, pods: Mapping[str, str], namespaces: frozenset[str] | set[str]) -> Place:
    """Read the hints of a path; ``pods`` (name → namespace) and ``namespaces`` are those already seen in objects."""
    base = stem(path)
    previous = _PREVIOUS.search(base) is not None
    base = _PREVIOUS.sub("", base)
    folders = path.split("/")[:-1]
    namespace, pod, container = _named(base, folders, pods, namespaces)
    if pod is not None and pod in pods:
        namespace = pods[pod]
    return Place(namespace=namespace, pod=pod, container=container, previous=previous, age=_age(path))


def names_in(paths: Iterable[str]) -> frozenset[str]:
    """Give all names in paths that may be a pod's or a namespace's: of millions that objects and events tell, these matter."""
    found: set[str] = set()
    for path in paths:
        for name in (_PREVIOUS.sub("", stem(path)), *path.split("/")[:-1]):
            found |= {name, *name.split("_")}
    return frozenset(found)


def _named(
    base: str, folders: list[str], pods: Mapping[str, str], namespaces: frozenset[str] | set[str]
) -> tuple[str | None, str | None, str | None]:
    parent = folders[-1] if folders else ""
    above = folders[-2] if len(folders) > 1 else ""
    if found := _NODE_CONTAINER_FILE.fullmatch(base):
        return found[2], found[1], found[3]
    if found := _NODE_POD_FOLDER.fullmatch(above):
        return found[1], found[2], parent
    if (joined := _joined_names(base, pods)) is not None:
        return joined
    if base in pods:
        return pods[base], base, None
    shaped = _POD_OF_WORKLOAD.fullmatch(base) is not None
    if parent in pods or (parent and parent not in _ROOMS and parent not in namespaces and (above or not shaped)):
        container = None if base in {"logs", "log"} else base
        return (above if above and above not in _ROOMS else None), parent, container
    namespace = parent if parent in namespaces else None
    return (namespace, base, None) if shaped else (namespace, None, base or None)


def _joined_names(base: str, pods: Mapping[str, str]) -> tuple[str, str, str | None] | None:
    """Read ``<pod>_<container>`` or ``<namespace>_<pod>_<container>`` where the pod is known."""
    parts = base.split("_")
    for at, part in enumerate(parts):
        if len(parts) > 1 and part in pods:
            return pods[part], part, (parts[at + 1] if at + 1 < len(parts) else None)
    return None
