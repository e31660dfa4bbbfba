"""Read ``rootcause.yaml``: every mistake is one sentence that begins with its place, and all are told at once.

What is allowed is what the classes of ``live`` say; the same classes give the JSON schema for editors.
"""
# ruff: noqa: ANN401 - decoded YAML may be anything, and types are handled as values here

import difflib
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from bot.errors import UsageError
from bot.settings.environment import text
from bot.settings.live import JiraSettings, LiveSettings, LogsSettings, Name, Url
from bot.settings.secret import Secret

FILE = "rootcause.yaml"
MOST_BYTES = 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def live_settings(home: Path) -> LiveSettings:
    """Read the file that ``ROOTCAUSE_CONFIG`` names, else the one here or in ``home``; without one nothing is live."""
    named = text("ROOTCAUSE_CONFIG")
    if named is not None:
        return read_live(Path(named).expanduser())
    found = next((place for place in (Path(FILE), home / FILE) if place.is_file()), None)
    return read_live(found) if found is not None else LiveSettings()


def read_live(path: Path) -> LiveSettings:
    """Read and check a file; raises UsageError with every mistake in it."""
    import yaml  # noqa: PLC0415 - most commands have no such file to read

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from error
    if len(raw) > MOST_BYTES:
        raise UsageError(f"{path} has more than {MOST_BYTES} bytes: it is no rootcause.yaml.")
    try:
        told = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise UsageError(
            f"{path}{where} is no YAML: {getattr(error, 'problem', None) or 'it cannot be decoded'}."
        ) from error
    return live_from(told, str(path))


def live_from(told: Any, named: str = FILE) -> LiveSettings:
    """Check a decoded document; raises UsageError with every mistake, one a line."""
    reading = _Reading()
    found = reading.value(LiveSettings, {} if told is None else told, "")
    if not reading.mistakes:
        reading.mistakes += _contradictions(found)
    if reading.mistakes:
        raise UsageError("\n".join(f"{named}: {mistake}" for mistake in reading.mistakes))
    assert isinstance(found, LiveSettings)
    return found


@dataclass(slots=True)
class _Reading:
    """Turns decoded YAML into the classes' values, collecting what does not fit."""

    mistakes: list[str] = field(default_factory=list)

    def wrong(self, place: str, what: str) -> None:
        self.mistakes.append(f"{place or 'the file'} {what}.")

    def value(self, kind: Any, told: Any, place: str) -> Any:
        kind, optional = _without_none(kind)
        if told is None and optional:
            return None
        if kind is Secret:
            return self._secret(told, place)
        if is_dataclass(kind):
            return self._part(kind, told, place)
        origin = get_origin(kind)
        if origin is tuple:
            return self._list(get_args(kind)[0], told, place)
        if origin is not None and issubclass(_class_of(origin), Mapping):
            return self._mapping(get_args(kind)[1], told, place)
        return self._scalar(kind, told, place)

    def _part(self, kind: Any, told: Any, place: str) -> Any:
        if not isinstance(told, Mapping):
            return self.wrong(place, f"must be a mapping of {', '.join(each.name for each in fields(kind))}")
        known = {each.name: each for each in fields(kind)}
        for key in told:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1)
                self.wrong(
                    place,
                    f"has the unknown key {str(key)!r}: "
                    + (
                        f"did you mean {near[0]!r}?".removesuffix("?") + "?"
                        if near
                        else f"known are {', '.join(known)}"
                    ),
                )
        hints = get_type_hints(kind)
        given: dict[str, Any] = {}
        for name, each in known.items():
            if name in told:
                given[name] = self.value(hints[name], told[name], _inside(place, name))
            elif _is_required(each):
                self.wrong(place, f"lacks the key {name!r}")
        return None if self.mistakes else kind(**given)

    def _secret(self, told: Any, place: str) -> Secret | None:
        advice = "give {env: NAME_OF_A_VARIABLE} or {file: PATH}, never the secret itself"
        if not isinstance(told, Mapping) or len(told) != 1 or not set(told) <= {"env", "file"}:
            self.wrong(place, f"is a secret: {advice}")
            return None
        key, named = next(iter(told.items()))
        if not isinstance(named, str) or not named or (key == "env" and not _VARIABLE.fullmatch(named)):
            self.wrong(place, f"is a secret: {advice}")
            return None
        return Secret(env=named) if key == "env" else Secret(file=Path(named))

    def _list(self, kind: Any, told: Any, place: str) -> tuple[Any, ...]:
        if not isinstance(told, list):
            self.wrong(place, "must be a list")
            return ()
        return tuple(self.value(kind, each, f"{place}[{at}]") for at, each in enumerate(told))

    def _mapping(self, kind: Any, told: Any, place: str) -> dict[str, Any]:
        if not isinstance(told, Mapping) or not all(isinstance(key, str) for key in told):
            self.wrong(place, "must be a mapping whose keys are texts")
            return {}
        return {key: self.value(kind, each, _inside(place, key)) for key, each in told.items()}

    def _scalar(self, kind: Any, told: Any, place: str) -> Any:
        if get_origin(kind) is Literal:
            if told not in get_args(kind):
                self.wrong(place, f"is {told!r}: give one of {', '.join(map(str, get_args(kind)))}")
            return told
        for of, fits, words in _SCALARS:
            if kind is of:
                if not fits(told):
                    shown = "no such" if kind is Url and "@" in str(told) else repr(told)  # it may hold a password
                    self.wrong(place, f"is {shown}: give {words}")
                    return None
                return Path(told).expanduser() if kind is Path else float(told) if kind is float else told
        raise TypeError(f"{place}: no reader for {kind}")


def _is_number(told: Any) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool) and 0 < told < 1e9


def _is_url(told: Any) -> bool:
    if not isinstance(told, str):
        return False
    try:
        parts = urlsplit(told)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and (parts.port or 1) > 0
        )
    except ValueError:
        return False


def _is_text(told: Any) -> bool:
    return isinstance(told, str) and bool(told.strip())


_SCALARS: tuple[tuple[Any, Any, str], ...] = (
    (Url, _is_url, "an address that begins with http:// or https:// and holds no user or password"),
    (Name, lambda told: isinstance(told, str) and bool(_NAME.fullmatch(told)), "a name of letters, digits, '-', '_' and '.'"),
    (str, _is_text, "a text (in quotes where it looks like a number)"),
    (Path, _is_text, "a path"),
    (bool, lambda told: isinstance(told, bool), "true or false"),
    (int, lambda told: isinstance(told, int) and _is_number(told), "a whole number above 0"),
    (float, _is_number, "a number above 0"),
)  # fmt: skip


def _contradictions(live: LiveSettings) -> list[str]:
    """Say what fits each for itself and not together."""
    found = []
    names = [str(cluster.name) for cluster in live.clusters]
    found += [
        f"clusters[{at}].name {name!r} stands there twice." for at, name in enumerate(names) if name in names[:at]
    ]
    for at, cluster in enumerate(live.clusters):
        if (
            cluster.kubernetes
            and cluster.kubernetes.in_cluster
            and (cluster.kubernetes.kubeconfig or cluster.kubernetes.context)
        ):
            found.append(f"clusters[{at}].kubernetes is either in_cluster or has a kubeconfig and context, not both.")
        found += _of_access(cluster.prometheus, f"clusters[{at}].prometheus")
        found += _of_access(cluster.logs, f"clusters[{at}].logs")
        if isinstance(cluster.logs, LogsSettings) and cluster.logs.kind == "elasticsearch" and not cluster.logs.index:
            found.append(f"clusters[{at}].logs.index is needed for elasticsearch.")
    found += _of_access(live.grafana, "grafana")
    if (
        isinstance(live.jira, JiraSettings)
        and live.jira.deployment == "cloud"
        and not (live.jira.user and live.jira.token)
    ):
        found.append("jira needs user and token where deployment is cloud.")
    for channel, scope in live.channels.items():
        found += [
            f"channels.{channel}.clusters names {name!r}, which is no cluster here."
            for name in scope.clusters
            if name not in names
        ]
    return found


def _of_access(access: Any, place: str) -> list[str]:
    if access is not None and (access.user is None) != (access.password is None):
        return [f"{place} has one of user and password: give both or none."]
    if access is not None and access.token is not None and access.user is not None:
        return [f"{place} has a token and a user: give one way to log in."]
    return []


def _without_none(kind: Any) -> tuple[Any, bool]:
    if isinstance(kind, UnionType) or (get_origin(kind) is not None and NoneType in get_args(kind)):
        others = [each for each in get_args(kind) if each is not NoneType]
        return others[0], NoneType in get_args(kind)
    return kind, False


def _class_of(origin: Any) -> type:
    return origin if isinstance(origin, type) else object


def _is_required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
