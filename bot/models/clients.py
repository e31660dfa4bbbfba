"""Building the library's clients: explicit about where they speak, with what, and silent about what they are sent."""

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.errors import UsageError
from bot.models.catalogue import ANTHROPIC, Known
from bot.settings import ModelSettings

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 10.0
SEND_S = 120.0
"""Seconds without progress in sending a prompt of megabytes."""
TALKATIVE = ("anthropic", "anthropic._base_client", "httpx2", "httpcore2", "httpcore2.http11", "httpcore2.connection")
"""Loggers that would write the whole prompt, or the headers with the key, at DEBUG."""


class _Discreet(logging.Filter):
    """Lets nothing below INFO through, whatever level someone sets."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


_DISCREET = _Discreet()


def host_of(settings: ModelSettings, known: Known) -> str:
    """Name the endpoint for people."""
    if settings.via != "api":
        return f"{'Amazon Bedrock' if settings.via == 'bedrock' else 'Google Vertex AI'} ({settings.region or 'no region'})"
    return urlsplit(known.url).netloc or known.url


def check(settings: ModelSettings, known: Known) -> None:
    """Raise UsageError for settings that no client can be built from."""
    if settings.via == "vertex" and not (settings.region and settings.project):
        raise UsageError("ROOTCAUSE_MODEL_VIA=vertex needs ROOTCAUSE_MODEL_REGION and ROOTCAUSE_MODEL_PROJECT.")
    if settings.via == "bedrock" and not settings.region:
        raise UsageError("ROOTCAUSE_MODEL_VIA=bedrock needs ROOTCAUSE_MODEL_REGION.")
    if settings.via != "api":
        return
    if not known.url:
        raise UsageError(f"Nothing is known of the model {settings.model}: set ROOTCAUSE_MODEL_URL to its endpoint.")
    parts = urlsplit(known.url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.username or parts.password:
        raise UsageError("ROOTCAUSE_MODEL_URL must be http(s)://host without a user or password in it.")


def client(settings: ModelSettings, known: Known) -> Any:  # noqa: ANN401 - three unrelated classes of the library, used alike
    """Build the client: our deadline and our tries, not the library's."""
    import anthropic  # noqa: PLC0415 - nobody waits for the library who asks no model
    import httpx2  # noqa: PLC0415 - see above

    for name in TALKATIVE:
        logging.getLogger(name).addFilter(_DISCREET)
    common: dict[str, Any] = {
        "max_retries": 0,
        "timeout": httpx2.Timeout(known.features.quiet_s, connect=CONNECT_S, write=SEND_S),
        "open_telemetry": False,  # a span would carry the prompt's size and time elsewhere
        "http_client": _http(httpx2),
    }
    try:
        if settings.via == "bedrock":
            from anthropic.lib.bedrock import AsyncAnthropicBedrock  # noqa: PLC0415 - an extra

            return AsyncAnthropicBedrock(aws_region=settings.region, base_url=settings.url, **common)
        if settings.via == "vertex":
            from anthropic.lib.vertex import AsyncAnthropicVertex  # noqa: PLC0415 - an extra

            return AsyncAnthropicVertex(
                region=settings.region or "", project_id=settings.project or "", base_url=settings.url, **common
            )
    except ImportError as error:
        raise UsageError(
            f"Asking through {settings.via} needs `pip install 'rootcause-bot[{settings.via}]'`."
        ) from error
    key = settings.key or "none"  # a server of one's own asks for no key, and the library wants one
    # servers disagree on where the key stands, so all but Anthropic's own get it in both places
    headers = {} if known.url == ANTHROPIC else {"x-api-key": key}
    return anthropic.AsyncAnthropic(api_key=key, base_url=known.url, default_headers=headers, **common)


def _http(library: Any) -> "httpx2.AsyncClient":  # noqa: ANN401 - the module
    from bot.models.bounds import AS_IT_IS, bounded  # noqa: PLC0415 - see above

    # a redirect would take the key along
    http: httpx2.AsyncClient = library.AsyncClient(
        follow_redirects=False, headers=AS_IT_IS, event_hooks={"response": [bounded]}
    )
    return http
