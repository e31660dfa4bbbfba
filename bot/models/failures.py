"""Every way in which an endpoint fails, as one of this program's errors with a sentence for people.

Most specific first. An endpoint's own words are shown only where a person must mend a setting by them, cut and made
harmless: what it says may quote what it was sent.
"""

import re
import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import anthropic
import httpx2

from bot.errors import (
    ModelBusyError,
    ModelCutError,
    ModelDeclinedError,
    ModelError,
    ModelGarbledError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelTooLargeError,
    ModelUnreachableError,
)
from bot.models.bounds import TooMuchError

WORDS = 160
"""Characters of an endpoint's own explanation that are shown."""

_TOO_LONG = re.compile(
    r"prompt is too long|context (?:length|window|size)|maximum context|too many (?:input )?tokens|exceed_context",
    re.IGNORECASE,
)
_BUSY = {
    "overloaded_error": "is overloaded",
    "rate_limit_error": "takes no more requests for now",
    "api_error": "has a fault of its own",
    "timeout_error": "gave up on the request",
    "conflict_error": "was busy with the same request",
}
"""What an error is called inside a stream, where the status was 200 long ago."""
_CLOUD_WORDS = {
    "throttlingexception": "rate_limit_error",
    "servicequotaexceededexception": "rate_limit_error",
    "serviceunavailableexception": "overloaded_error",
    "modelnotreadyexception": "overloaded_error",
    "internalserverexception": "api_error",
    "modelstreamerrorexception": "api_error",
    "modelerrorexception": "api_error",
    "modeltimeoutexception": "timeout_error",
    "validationexception": "invalid_request_error",
    "accessdeniedexception": "permission_error",
    "resourcenotfoundexception": "not_found_error",
}
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html"""
_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    425: "rate_limit_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_NEVER = (501, 505)
_SPENT = ("enforced_spend_limit_reached", "contract_spend_limit_reached")
_FOR_GOOD = {
    "authentication_error": "does not accept the key: correct ROOTCAUSE_MODEL_KEY (or ANTHROPIC_API_KEY)",
    "billing_error": "wants its account paid: look at the account's billing",
    "permission_error": "does not allow this key to use the model: ask whoever gave the key, or choose another model",
    "not_found_error": "does not know the model, or the address is wrong: see `rootcause models` and ROOTCAUSE_MODEL_URL",
}


FOREIGN = (
    anthropic.AnthropicError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    ImportError,
    OSError,
    ValueError,
    AttributeError,
    TypeError,
    LookupError,
    RuntimeError,
)
"""What comes out of the library: its own, its transport's, and what it stumbles over where an answer has another form."""

_CLOUDS = {
    "credentials": (("botocore.exceptions", "BotoCoreError"), ("google.auth.exceptions", "GoogleAuthError")),
    "frames": (("botocore.eventstream", "ParserError"),),
}
"""What comes out of the clouds' own libraries, which are there only where they were installed and have been used."""


def foreign() -> tuple[type[Exception], ...]:
    """Give everything that a call may raise; to be asked when it has raised, for by then its libraries are loaded."""
    return (*FOREIGN, *_of_clouds("credentials"), *_of_clouds("frames"))


def _of_clouds(kind: str) -> tuple[type[Exception], ...]:
    return tuple(getattr(sys.modules[module], name) for module, name in _CLOUDS[kind] if module in sys.modules)


def translate(error: Exception, host: str, *, begun: bool = False) -> ModelError:
    """Give the error that a person can read, and whose type says whether it may pass; ``begun``: an answer had begun."""
    if (said := _beyond(error, host) or _of_cloud(error, host)) is not None:
        return said
    told: ModelError
    match error:
        case anthropic.APIStatusError():
            told = _status(error, host)
        case anthropic.APITimeoutError() | httpx2.TimeoutException():
            told = _silence(error, host)
        case anthropic.APIConnectionError():
            told = ModelUnreachableError(
                f"The model's endpoint at {host} cannot be reached: look at the network or the address."
            )
        case anthropic.APIResponseValidationError():
            told = garbled(host)
        case ImportError():
            told = ModelRefusedError(
                "Asking through a cloud needs `pip install 'rootcause-bot[bedrock]'` or `[vertex]`."
            )
        case anthropic.AnthropicError() | httpx2.InvalidURL() | RuntimeError():
            named = type(error).__name__
            told = ModelRefusedError(
                f"The model cannot be asked as it is configured ({named}): run `rootcause doctor`."
            )
        case httpx2.HTTPError() | OSError():
            told = ModelCutError(f"The connection to the model's endpoint at {host} broke before the answer was whole.")
        case _:
            told = cut(host) if begun else garbled(host)
    return told


def _beyond(error: Exception, host: str) -> ModelError | None:
    """Give the error for an answer that no memory or stack should hold, None for any other."""
    found = next((each for each in (error, error.__cause__) if isinstance(each, TooMuchError)), None)
    if found is not None:
        return ModelGarbledError(f"What answers at {host} sends more than a model does ({found}); it was not read.")
    return garbled(host) if isinstance(error, RecursionError) else None


def _of_cloud(error: Exception, host: str) -> ModelError | None:
    """Give the error for what a cloud's own library raised, None for any other."""
    if isinstance(error, _of_clouds("credentials")):
        return ModelRefusedError(
            f"The cloud's credentials for {host} cannot be used ({type(error).__name__}): sign in there, "
            "or name them as its own tools do."
        )
    return cut(host) if isinstance(error, _of_clouds("frames")) else None


def _silence(error: Exception, host: str) -> ModelError:
    if isinstance(error, httpx2.ConnectTimeout) or isinstance(error.__cause__, httpx2.ConnectTimeout):
        return ModelUnreachableError(
            f"The model's endpoint at {host} cannot be reached: look at the network or the proxy."
        )
    return ModelTimeoutError(f"The model's endpoint at {host} fell silent.")


def garbled(host: str) -> ModelGarbledError:
    """Say that what answers is no model."""
    return ModelGarbledError(
        f"What answers at {host} does not speak the Messages protocol: correct ROOTCAUSE_MODEL_URL."
    )


def cut(host: str) -> ModelCutError:
    """Say that the stream ended before the answer did."""
    return ModelCutError(f"The model's endpoint at {host} ended the answer before it was whole.")


def declined(category: str) -> ModelDeclinedError:
    """Say that the model will not answer."""
    about = f" (category: {harmless(category)})" if category else ""
    return ModelDeclinedError(
        f"The model declined to read this incident{about}; logs of attacks can have that effect. Another model may answer.",
        code=category,
    )


def too_late(host: str, deadline_s: float) -> ModelTimeoutError:
    """Say that the deadline passed."""
    return ModelTimeoutError(f"The model's endpoint at {host} gave no whole answer within {deadline_s:.0f} s.")


def harmless(text: str) -> str:
    """Cut what an endpoint said to a line that nothing can follow, mention or run."""
    plain = "".join(each if each.isprintable() else " " for each in text[: 4 * WORDS])
    words = " ".join(re.sub(r"[<>&@`*_~|\\]", " ", plain).replace("://", " ").split())
    return words if len(words) <= WORDS else f"{words[:WORDS]}…"


def _status(error: anthropic.APIStatusError, host: str) -> ModelError:
    status = error.status_code
    told = _CLOUD_WORDS.get(str(error.type or "").casefold())
    kind = told or str(
        error.type or _BY_STATUS.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
    )
    at = f"The model's endpoint at {host}"
    if kind in _BUSY and error.error_code not in _SPENT and status not in _NEVER:
        wait = _wait(error.response.headers)
        asks = f", and asks to be left alone for {wait:.0f} s" if wait else ""
        return ModelBusyError(f"{at} {_BUSY[kind]}{asks}.", wait_s=wait)
    said = _said(error)
    if kind == "request_too_large" or status == 413 or _TOO_LONG.search(f"{kind} {said}"):
        return ModelTooLargeError(
            f"{at} cannot take as much at once: ask for a shorter window, or choose a model that reads more.", code=kind
        )
    return _for_good(error, at, kind, harmless(said))


def _said(error: anthropic.APIStatusError) -> str:
    """Give the endpoint's own words: where the protocol has them, where Bedrock has them, or all there is."""
    if error.api_message:
        return str(error.api_message)
    if isinstance(error.body, dict):
        return str(error.body.get("message") or "")
    return error.body if isinstance(error.body, str) else ""


def _for_good(error: anthropic.APIStatusError, at: str, kind: str, said: str) -> ModelError:
    status = error.status_code
    if error.error_code in _SPENT:
        why = "has reached the spending limit of its account: raise it there"
    elif 300 <= status < 400:
        why = "sends elsewhere, where the key must not follow: correct ROOTCAUSE_MODEL_URL"
    elif status in _NEVER:
        why = "does not speak the Messages protocol: correct ROOTCAUSE_MODEL_URL"
    elif kind in _FOR_GOOD:
        why = _FOR_GOOD[kind]
    else:
        why = f"refuses the request ({harmless(kind)}){': ' + said if said else ''}"
    return ModelRefusedError(f"{at} {why}.", code=kind)


def _wait(headers: Any) -> float | None:  # noqa: ANN401 - any mapping of headers
    """Give the seconds that an endpoint asks to be left alone: milliseconds, seconds, or a date."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    try:
        until = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else None
