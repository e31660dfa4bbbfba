"""Say what a file is from its first bytes. The path only breaks ties where content cannot tell (an undated text)."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bot.sources.export.jsonstream import decoded_start
from bot.sources.export.layout import says_log
from bot.sources.export.timestamps import ANCHORED, iso_anywhere, json_field


class Kind(StrEnum):
    """What a file of an export can be."""

    KUBERNETES_JSON = "Kubernetes objects or events (JSON)"
    KUBERNETES_YAML = "Kubernetes objects or events (YAML)"
    PROMETHEUS = "Prometheus query result"
    OPENMETRICS = "OpenMetrics text"
    LOKI = "Loki query result"
    LOKI_LINES = "logcli lines"
    SLACK_USERS = "Slack users"
    SLACK_CHANNELS = "Slack channels"
    SLACK_MESSAGES = "Slack messages"
    JIRA = "Jira issue"
    LOG = "log"
    EMPTY_LIST = "an empty JSON list"


_SAMPLE_LINES = 200
_ANY_REFERENCE_S = 1.75e9  # whether a date without a year is one does not depend on the year
_API_VERSION = re.compile(r"(?:[a-z0-9.-]+/)?v\d+(?:(?:alpha|beta)\d+)?")
_YAML_START = re.compile(r"(?:apiVersion|kind|items|metadata)\s*:|---\s*$|- apiVersion\s*:")
_SAMPLE = re.compile(
    rb"[a-zA-Z_:][a-zA-Z0-9_:.]*(?:\{[^\n]*\})? [-+]?(?:NaN|Inf|\d[\d.eE+-]*)(?: -?\d+(?:\.\d+)?(?:e[+-]?\d+)?)?(?: #.*)?\s*"
)


def text_of(head: bytes) -> bytes:
    """Give the head as UTF-8 bytes whatever byte order mark it begins with."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace").encode("utf-8", "replace")
    return head.removeprefix(b"\xef\xbb\xbf")


def recognise(head: bytes, path: str) -> tuple[Kind | None, str]:
    """Give the kind of a file, or None and the reason in words."""
    head = text_of(head)
    if not head.strip():
        return None, "an empty file"
    if head.count(b"\0") > len(head) // 4 or head.startswith((b"\x89PNG", b"%PDF", b"\x7fELF", b"SQLite format 3")):
        return None, "a binary file"
    json_like = head.lstrip()[:1] in b"{["
    kind = (_json_kind(head) if json_like else None) or _text_kind(head, path)
    if kind is not None:
        return kind, ""
    return None, "JSON of a kind that is not known here" if json_like else "text in which no line carries a time"


def _text_kind(head: bytes, path: str) -> Kind | None:
    if _is_yaml(head):
        return Kind.KUBERNETES_YAML
    if _is_openmetrics(head):
        return Kind.OPENMETRICS
    return Kind.LOG if _is_log(head, path) else None


def _json_kind(head: bytes) -> Kind | None:
    text = head.decode("utf-8", "replace")
    try:
        value = decoded_start(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        if not value:
            return Kind.EMPTY_LIST if text.strip() == "[]" else None
        return _element_kind(value[0]) if isinstance(value[0], dict) else None
    if not isinstance(value, dict):
        return None
    kind = _document_kind(value)
    if kind is None and json_field(head.lstrip().split(b"\n", 1)[0], 0.0) is not None:
        return Kind.LOG if _is_one_line(text, value) else None
    return kind


def _is_one_line(text: str, value: object) -> bool:
    line = text.lstrip().split("\n", 1)[0]
    try:
        return bool(json.loads(line) == value)
    except (ValueError, RecursionError):
        return len(line) > 32_768  # a line longer than the head


def _document_kind(value: Mapping[str, Any]) -> Kind | None:
    if _is_kubernetes(value):
        # an audit log is a log whose lines happen to be objects
        return Kind.LOG if str(value.get("apiVersion")).startswith("audit.k8s.io/") else Kind.KUBERNETES_JSON
    if {"labels", "line", "timestamp"} <= value.keys():
        return Kind.LOKI_LINES
    if (kind := _query_kind(value)) is not None:
        return kind
    if _is_issue(value) or _lists_issues(value):
        return Kind.JIRA
    if isinstance(value.get("messages"), list) and ("ok" in value or "has_more" in value):
        return Kind.SLACK_MESSAGES
    return None


def _is_kubernetes(value: Mapping[str, Any]) -> bool:
    version, items = value.get("apiVersion"), value.get("items")
    if isinstance(version, str) and _API_VERSION.fullmatch(version):
        return len(value) > 1  # keys stand sorted: a large ``data`` may push ``kind`` out of sight
    return isinstance(items, list) and ("kind" in value or _holds_object(items))


def _lists_issues(value: Mapping[str, Any]) -> bool:
    issues = value.get("issues")
    return isinstance(issues, list) and (
        "total" in value
        or "startAt" in value
        or (bool(issues) and isinstance(issues[0], dict) and _is_issue(issues[0]))
    )


def _holds_object(items: list[Any]) -> bool:
    return bool(items) and isinstance(items[0], dict) and isinstance(items[0].get("metadata"), dict)


def _is_issue(value: Mapping[str, Any]) -> bool:
    key, link = value.get("key"), value.get("self")
    return isinstance(key, str) and (
        isinstance(value.get("fields"), dict) or (isinstance(link, str) and "/issue/" in link)
    )


def _query_kind(value: Mapping[str, Any]) -> Kind | None:
    if value.get("status") == "error" and "errorType" in value:
        return Kind.PROMETHEUS
    body = value.get("data") if isinstance(value.get("data"), dict) else value
    assert isinstance(body, Mapping)
    result_type = body.get("resultType")
    if result_type == "streams":
        return Kind.LOKI
    if result_type in ("matrix", "vector", "scalar", "string"):  # a list would not hash
        return Kind.PROMETHEUS
    result = body.get("result")
    if isinstance(result, list) and result and isinstance(result[0], dict):
        return Kind.LOKI if "stream" in result[0] else Kind.PROMETHEUS if "metric" in result[0] else None
    return None


def _element_kind(first: Mapping[str, Any]) -> Kind | None:
    name = str(first.get("id", ""))
    shapes: tuple[tuple[bool, Kind], ...] = (
        ("metric" in first and ("values" in first or "value" in first), Kind.PROMETHEUS),
        ("stream" in first and "values" in first, Kind.LOKI),
        (isinstance(first.get("ts"), str) and (first.get("type") == "message" or "text" in first), Kind.SLACK_MESSAGES),
        (name[:1] in {"U", "W"} and bool({"profile", "real_name"} & first.keys()), Kind.SLACK_USERS),
        (name[:1] in {"C", "G", "D"} and bool({"members", "created", "creator"} & first.keys()), Kind.SLACK_CHANNELS),
        (isinstance(first.get("metadata"), dict), Kind.KUBERNETES_JSON),
        (_is_issue(first), Kind.JIRA),
    )
    return next((kind for fits, kind in shapes if fits), None) or _query_kind(first)


def _is_yaml(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or not _YAML_START.match(lines[0]):
        return False
    return re.search(r"^(?:- )?\s*apiVersion\s*:\s*\S", text, re.MULTILINE) is not None


def _whole_lines(head: bytes) -> list[bytes]:
    lines = head.split(b"\n")
    whole = lines[:-1] if len(lines) > 1 else lines
    return [line for line in whole[:_SAMPLE_LINES] if line.strip()]


def _is_openmetrics(head: bytes) -> bool:
    lines = _whole_lines(head)
    samples = sum(1 for line in lines if _SAMPLE.fullmatch(line))
    notes = sum(1 for line in lines if line.startswith((b"# HELP ", b"# TYPE ", b"# UNIT ", b"# EOF")))
    return samples > 0 and samples + notes >= 0.9 * len(lines)


def _is_log(head: bytes, path: str) -> bool:
    lines = _whole_lines(head)
    if says_log(path):
        return True
    if head.lstrip()[:20].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return False
    daters = (*ANCHORED, iso_anywhere)
    dated = sum(1 for line in lines if any(dater(line[:8192], _ANY_REFERENCE_S) is not None for dater in daters))
    # a stack trace can outnumber the dated lines, prose quotes a date now and then
    return dated >= max(1, 0.2 * len(lines)) or any(b"==== START logs for container " in line for line in lines[:1])
