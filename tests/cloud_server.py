"""Amazon Bedrock and Vertex AI on the loopback: the Messages protocol in the clouds' own envelopes, with their own credentials.

Written from the clouds' published API pages, not captured from them: Bedrock's event stream (lengths, headers, two CRC-32,
``chunk`` events whose payload is base64, exceptions as frames) behind Signature Version 4, which is computed anew here; Vertex'
``streamRawPredict`` behind a bearer that an OAuth token endpoint on the same server has given out for a signed assertion.

Sources: docs.aws.amazon.com, "InvokeModelWithResponseStream", "Create a signed AWS API request"; smithy.io, "Amazon Event
Stream Specification"; cloud.google.com, "streamRawPredict"; RFC 7523.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
import zlib
from contextlib import suppress
from urllib.parse import parse_qs, quote, unquote, urlsplit

from model_server import ModelServer, _Handler
from model_wire import Asked, Refusal, check

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session-1"
REGION, PROJECT = "eu-central-1", "shop-prod"
BEARER = "ya29.of-a-test-server"
_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def frame(headers, payload):
    """Give one message of an Amazon event stream."""
    told = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 12 + len(told) + len(payload) + 4, len(told))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + told + payload
    return message + struct.pack(">I", zlib.crc32(message))


def chunk(event):
    """Give an event of the Messages protocol as Bedrock frames it, padded as it pads."""
    payload = json.dumps(
        {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abcdefghijk"[: len(event)]}
    )
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, payload.encode())


def signature(method, target, headers, body, region, names, stamp):
    """Compute Signature Version 4 of a request for Bedrock."""
    day = stamp[:8]
    path, _, query = target.partition("?")
    signed = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    # every service but S3 has the path encoded once more
    canonical = "\n".join(
        [method, quote(path, safe="/-_.~"), query, signed, ";".join(names), hashlib.sha256(body).hexdigest()]
    )
    scope = f"{day}/{region}/bedrock/aws4_request"
    told = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, "bedrock", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, told.encode(), "sha256").hex()


class _BedrockHandler(_Handler):
    """Answers ``/model/NAME/invoke-with-response-stream``; a fault ``broken json`` damages a frame's checksum."""

    streamed_as = "application/vnd.amazon.eventstream"

    def do_POST(self):  # noqa: N802 - the library's name
        """Answer a question."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            asked = self._translated(raw)
            self._admit_signed(raw)
            check(asked)
            said = self.owner.next(asked)
            if isinstance(said, Refusal):
                raise said
        except Refusal as refusal:
            body = json.dumps({"message": str(refusal)}).encode()
            return self._whole(refusal.status, body, {"x-amzn-errortype": refusal.kind, **refusal.headers})
        with suppress(ConnectionError):
            self._stream(asked, said)
        self.close_connection = True
        return None

    def _translated(self, raw):
        found = re.fullmatch(r"/model/([^/]+)/invoke-with-response-stream", self.path)
        if not found:
            raise Refusal(404, "UnknownOperationException", "no such operation")
        body = json.loads(raw)
        if not {"model", "stream"}.isdisjoint(body):
            raise Refusal(400, "ValidationException", "Extraneous key is not permitted")
        headers = {k.lower(): v for k, v in self.headers.items()} | {"anthropic-version": body.pop("anthropic_version")}
        return Asked(path=self.path, headers=headers, body={**body, "model": unquote(found[1]), "stream": True})

    def _admit_signed(self, raw):
        headers = {name.lower(): value for name, value in self.headers.items()}
        found = _SCOPE.fullmatch(headers.get("authorization", ""))
        if not found or found[1] != ACCESS_KEY or headers.get("x-amz-security-token") != SESSION_TOKEN:
            raise Refusal(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        region = found[2].split("/")[1]
        expected = signature("POST", self.path, headers, raw, region, found[3].split(";"), headers["x-amz-date"])
        if not hmac.compare_digest(expected, found[4]) or region != REGION:
            raise Refusal(403, "InvalidSignatureException", "The request signature we calculated does not match.")

    def _send(self, event, *, named=True):
        if event["type"] == "error":
            headers = {
                ":exception-type": "throttlingException",
                ":content-type": "application/json",
                ":message-type": "exception",
            }
            self.wfile.write(frame(headers, b'{"message":"Too many tokens, please wait before trying again."}'))
        else:
            self.wfile.write(chunk(event))
        self.wfile.flush()

    def _fail(self, fault):
        if fault == "broken json":
            damaged = bytearray(chunk({"type": "ping"}))
            damaged[-1] ^= 0xFF
            self.wfile.write(bytes(damaged))
            self.wfile.flush()
            return True
        return super()._fail(fault)


class _VertexHandler(_Handler):
    """Answers ``…:streamRawPredict`` and ``count-tokens:rawPredict``, and gives out the token that both ask for."""

    def do_POST(self):  # noqa: N802 - the library's name
        """Answer a question, count one, or give a token."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/token":
            return self._token(raw)
        try:
            asked, streamed = self._translated(raw)
            check(asked, counting=not streamed)
            if not streamed:
                self.owner.counted.append(asked)
                return self._whole(200, b'{"input_tokens": 1234}')
            said = self.owner.next(asked)
            if isinstance(said, Refusal):
                raise said
        except Refusal as refusal:
            error = {"code": refusal.status, "message": str(refusal), "status": refusal.kind}
            return self._whole(refusal.status, json.dumps({"error": error}).encode(), refusal.headers)
        with suppress(ConnectionError):
            self._stream(asked, said)
        self.close_connection = True
        return None

    def _translated(self, raw):
        if self.headers.get("authorization") != f"Bearer {BEARER}":
            raise Refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        where = f"/v1/projects/{PROJECT}/locations/{REGION}/publishers/anthropic/models/"
        model, _, what = unquote(urlsplit(self.path).path).removeprefix(where).rpartition(":")
        if what not in ("streamRawPredict", "rawPredict") or "/" in model:
            raise Refusal(404, "NOT_FOUND", "no such method")
        body = json.loads(raw)
        headers = {"anthropic-version": body.pop("anthropic_version")}
        return Asked(path=self.path, headers=headers, body={"model": model, **body}), what == "streamRawPredict"

    def _token(self, raw):
        asked = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        head, claims, signed = asked.get("assertion", "..").split(".")
        told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)) or b"{}")
        if asked.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" or not (head and signed):
            return self._whole(400, b'{"error": "invalid_grant"}')
        self.owner.assertions.append(told)
        answer = {"access_token": BEARER, "expires_in": 3600, "token_type": "Bearer"}
        return self._whole(200, json.dumps(answer).encode())


class BedrockServer(ModelServer):
    """Amazon Bedrock's runtime in one region."""

    handler = _BedrockHandler


class VertexServer(ModelServer):
    """Vertex AI in one project and region; ``assertions`` are the claims for which tokens were given out."""

    handler = _VertexHandler

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.assertions = []
