"""How much of an answer is read: an endpoint that never ends, or packs gigabytes into kilobytes, fills no memory.

The library reads whatever comes, so the limit stands below it, where bytes arrive. Answers are asked for as they are, for what
is packed grows without a limit in one step.
"""

from collections.abc import AsyncIterator

import httpx2

MOST_BYTES = 32 * 1024 * 1024
"""Of one answer: the longest any model writes (128,000 tokens, an event each) is some 20 MB as a stream."""
LONGEST_LINE = 4 * 1024 * 1024
"""Of a line, which is put together piece by piece and decoded at once."""
FRAMES = "application/vnd.amazon.eventstream"
"""Bedrock's stream, which has lengths instead of lines."""
AS_IT_IS = {"accept-encoding": "identity"}


class TooMuchError(httpx2.StreamError):
    """More came than an answer is long, or in a form that could become more."""


async def bounded(response: httpx2.Response) -> None:
    """Let at most ``MOST_BYTES`` of an answer be read; the hook of a client for every response."""
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise TooMuchError("packed, though it was asked for as it is")
    frames = FRAMES in response.headers.get("content-type", "")
    response.stream = _Bounded(response.stream, lines=not frames)


class _Bounded(httpx2.AsyncByteStream):
    """Passes on a stream until it is too long."""

    def __init__(self, stream: object, *, lines: bool) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._stream = stream
        self._lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = line = 0
        async for chunk in self._stream:
            read += len(chunk)
            end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            line = len(chunk) - end - 1 if end >= 0 else line + len(chunk)
            if read > MOST_BYTES:
                raise TooMuchError(f"longer than {MOST_BYTES // 1024**2} MiB")
            if self._lines and line > LONGEST_LINE:
                raise TooMuchError(f"a line longer than {LONGEST_LINE // 1024**2} MiB")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
