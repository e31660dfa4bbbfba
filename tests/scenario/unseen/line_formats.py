"""Access and application lines in the formats of real proxies and frameworks, for the hand-made incidents."""

import json
import random
from datetime import datetime
from typing import Any

AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "okhttp/4.12.0", "curl/8.5.0", "python-requests/2.31.0")


def ingress(
    rng: random.Random, at: datetime, path: str, status: int, service: str, seconds: float, *,
    upstream: str = "10.42.1.17:8080", tried: str | None = None,
) -> str:  # fmt: skip
    """Write an ingress-nginx access line (log-format-upstream's default)."""
    local = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    client = f"203.0.113.{rng.randint(2, 250)}"
    size = rng.randint(120, 4000) if status < 500 else 150
    return (
        f'{client} - - [{local}] "{rng.choice(("GET", "POST"))} {path} HTTP/1.1" {status} {size} "-" '
        f'"{rng.choice(AGENTS)}" {rng.randint(200, 900)} {seconds:.3f} [{service}] [] {upstream} {size} '
        f"{seconds:.3f} {tried or status} {rng.getrandbits(128):032x}"
    )


def nginx_error(at: datetime, words: str, path: str, upstream: str) -> str:
    """Write an nginx error-log line about an upstream."""
    return (
        f"{at.strftime('%Y/%m/%d %H:%M:%S')} [error] 41#41: *{int(at.timestamp()) % 99991} {words}, client: 203.0.113.7, "
        f'server: shop.example.com, request: "GET {path} HTTP/1.1", upstream: "http://{upstream}{path}", '
        f'host: "shop.example.com"'
    )


def envoy(
    rng: random.Random, at: datetime, path: str, status: int, flags: str, *, details: str, cluster: str, ms: int
) -> str:
    """Write an Istio access line (Envoy's default text format of Istio 1.2x)."""
    upstream = '"-"' if flags in ("UH", "UAEX", "NR") else f'"10.42.3.{rng.randint(2, 9)}:8080"'
    return (
        f'[{at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}Z] "GET {path} HTTP/1.1" {status} {flags} {details} - "-" 0 '
        f'{19 if status >= 500 else rng.randint(200, 3000)} {ms} {"-" if status >= 500 else ms - 1} "10.1.0.9" '
        f'"Mozilla/5.0" "{rng.getrandbits(64):016x}" "app.example.com" {upstream} {cluster} 10.42.0.5:41234 '
        f"10.42.0.5:8443 10.1.0.9:5123 app.example.com -"
    )


def spring(at: datetime, level: str, logger: str, text: str, thread: str = "nio-8080-exec-7") -> str:
    """Write a Spring Boot 3 console line."""
    when = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return f"{when} {level:>5} 1 --- [app] [{thread:>15}] {logger:<40} : {text}"


def zap(at: datetime, level: str, text: str, **fields: Any) -> str:
    """Write a Go zap production line."""
    head = {"level": level, "ts": round(at.timestamp(), 6), "caller": "server/handler.go:118", "msg": text}
    return json.dumps({**head, **fields})


def pino(at: datetime, level: int, text: str, **fields: Any) -> str:
    """Write a Node pino line."""
    head = {"level": level, "time": int(at.timestamp() * 1000), "pid": 1, "hostname": "app"}
    return json.dumps({**head, **fields, "msg": text})


def gunicorn(rng: random.Random, at: datetime, path: str, status: int, micros: int) -> str:
    """Write a gunicorn access line with the time taken in microseconds."""
    local = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'10.42.0.{rng.randint(2, 40)} - - [{local}] "GET {path} HTTP/1.1" {status} {rng.randint(90, 900)} "-" "kube-probe/1.29" {micros}'


def postgres(at: datetime, severity: str, text: str, pid: int = 812) -> str:
    """Write a PostgreSQL stderr line with the official image's log_line_prefix."""
    return f"{at.strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} UTC [{pid}] {severity}:  {text}"


def mysql(at: datetime, level: str, code: str, text: str) -> str:
    """Write a MySQL 8 error-log line."""
    return f"{at.strftime('%Y-%m-%dT%H:%M:%S.%f')}Z 0 [{level}] [{code}] [Server] {text}"


def kafka(at: datetime, level: str, text: str, logger: str = "kafka.coordinator.group.GroupCoordinator") -> str:
    """Write a Kafka broker or client line (log4j's ISO 8601 layout)."""
    return f"[{at.strftime('%Y-%m-%d %H:%M:%S,%f')[:-3]}] {level} {text} ({logger})"


def klog(at: datetime, severity: str, text: str, where: str = "controller.go:231") -> str:
    """Write a klog line."""
    return f"{severity}{at.strftime('%m%d %H:%M:%S.%f')} {1:7d} {where}] {text}"
