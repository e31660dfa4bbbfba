"""Claude through Amazon Bedrock and Vertex AI: the library's own clients with the clouds' libraries, against servers on loopback.

The clouds' libraries live in an environment of their own, made once below ``.cache`` from ``clouds.lock``; where that cannot be
fetched, the tests skip and say so.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cloud_server import (
    ACCESS_KEY,
    PROJECT,
    REGION,
    SECRET_KEY,
    SESSION_TOKEN,
    BedrockServer,
    VertexServer,
    chunk,
    frame,
)
from model_server import Answer, Failing
from model_wire import Refusal
from readme import ROOT

pytestmark = pytest.mark.full

LOCK = ROOT / "tests/live/clouds.lock"
CALL = ROOT / "tests/live/cloud_call.py"
MODELS = {"bedrock": "eu.anthropic.claude-sonnet-5-5-v1:0", "vertex": "claude-sonnet-5-5@20260901"}
SERVERS = {"bedrock": BedrockServer, "vertex": VertexServer}
ANSWER = Answer(
    thought="It was the job.", text="Es war der Job → 502", calls=[("search", {"words": "größer"})], piece=3
)
every_cloud = pytest.mark.parametrize("via", SERVERS)


@pytest.fixture(scope="module")
def python():
    """The interpreter of the environment that has the clouds' libraries."""
    folder = ROOT / ".cache" / f"clouds-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}-{sys.version_info.minor}"
    interpreter = folder / "bin/python"
    if not (folder / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        asked = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", LOCK]
        ran = subprocess.run([interpreter, *asked], capture_output=True, text=True, timeout=100, check=False)
        if ran.returncode:
            pytest.skip(f"the clouds' libraries cannot be fetched: {ran.stderr.strip().splitlines()[-1]}")
        (folder / "whole").touch()
    return interpreter


@pytest.fixture(scope="module")
def account(python, tmp_path_factory):
    """A service account's key, as Google's console gives it out; the token endpoint is filled in for each server."""
    script = (
        "from cryptography.hazmat.primitives import serialization as s\n"
        "from cryptography.hazmat.primitives.asymmetric import rsa\n"
        "key = rsa.generate_private_key(public_exponent=65537, key_size=2048)\n"
        "print(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode())"
    )
    made = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": made.stdout,
        "client_email": "rootcause@shop-prod.iam.example.org",
        "client_id": "1",
    }


@pytest.fixture
def ask(python, account, tmp_path):
    """Give a way to ask a cloud's server, which returns what the program made of it."""

    def asked(via, server, deadline_s=20, **more):
        key = tmp_path / "account.json"
        key.write_text(json.dumps({**account, "token_uri": f"{server.url}/token"}))
        told = {
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "ROOTCAUSE_MODEL_VIA": via,
            "ROOTCAUSE_MODEL": MODELS[via],
            "ROOTCAUSE_MODEL_REGION": REGION,
            "ROOTCAUSE_MODEL_URL": server.url + ("/v1" if via == "vertex" else ""),
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if via == "bedrock":
            named = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            told |= dict(zip(named, (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN), strict=True))
        else:
            told |= {"ROOTCAUSE_MODEL_PROJECT": PROJECT, "GOOGLE_APPLICATION_CREDENTIALS": str(key)}
        told = {name: value for name, value in {**told, **more}.items() if value is not None}
        ran = subprocess.run(
            [python, CALL, str(deadline_s)], env=told, capture_output=True, text=True, timeout=60, check=False
        )
        assert "" == ran.stderr
        return json.loads(ran.stdout)

    return asked


@every_cloud
def test_a_whole_answer_comes_through_a_cloud(ask, via):
    """Thoughts, words and a call arrive whole, letters of many bytes included; what was cached and written is counted."""
    with SERVERS[via]([ANSWER]) as server:
        first, second = ask(via, server), ask(via, server)
    assert ("Es war der Job → 502", ["sealed", "text", "call"], [{"words": "größer"}], "tools") == tuple(
        first[name] for name in ("text", "parts", "calls", "stop")
    )
    assert MODELS[via] == server.asked[0].body["model"]
    assert 0 == first["spend"]["tokens_cached"] < first["spend"]["tokens_written"]
    assert first["spend"]["tokens_written"] == second["spend"]["tokens_cached"]
    assert 0 < second["spend"]["cost_usd"] < first["spend"]["cost_usd"]
    assert f"({REGION})" in first["host"]
    assert (1234 if via == "vertex" else None) == first["counted"]
    if via == "vertex":
        assert "https://www.googleapis.com/auth/cloud-platform" in server.assertions[0]["scope"]


FAILURES = {
    "throttled": (Refusal(429, "ThrottlingException", "Too many requests"), "ModelBusyError"),
    "throttled for an hour": (Refusal(429, "ThrottlingException", "no", {"retry-after": "3600"}), "ModelBusyError"),
    "unavailable": (Refusal(503, "ServiceUnavailableException", "no"), "ModelBusyError"),
    "forbidden": (Refusal(403, "AccessDeniedException", "You don't have access to the model."), "ModelRefusedError"),
    "unknown": (Refusal(404, "ResourceNotFoundException", "no such model"), "ModelRefusedError"),
    "too long": (Refusal(400, "ValidationException", "prompt is too long: 9 tokens > 8 maximum"), "ModelTooLargeError"),
    "throttled in the stream": (Failing("overloaded", ANSWER), "ModelBusyError"),
    "cut": (Failing("cut", ANSWER), "ModelCutError"),
    "reset": (Failing("reset", ANSWER), "ModelCutError"),
    "damaged": (Failing("broken json", ANSWER), "ModelCutError"),
    "stalled": (Failing("stall", ANSWER), "ModelTimeoutError"),
}


@every_cloud
@pytest.mark.parametrize("name", FAILURES)
def test_a_clouds_failure_is_one_of_ours(ask, via, name):
    """A sentence and a type that says whether it may pass; within the deadline, whatever the cloud asks for."""
    said, expected = FAILURES[name]
    with SERVERS[via]([said]) as server:
        told = ask(via, server, deadline_s=3)
    assert (expected, False) == (told["error"], "Traceback" in told["words"])
    assert 1 <= len(server.asked) <= 5
    assert SECRET_KEY not in told["words"]


@every_cloud
def test_what_passes_is_asked_again(ask, via):
    """Throttled once, then whole."""
    with SERVERS[via]([Refusal(429, "ThrottlingException", "no"), Failing("overloaded", ANSWER), ANSWER]) as server:
        told = ask(via, server)
    assert (3, "tools") == (told["tries"], told["stop"])


@every_cloud
def test_credentials_that_are_missing_or_wrong_are_a_sentence(ask, via):
    """The clouds' libraries raise errors of their own, which nobody else should have to know."""
    nothing = {"bedrock": {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SESSION_TOKEN": None},
               "vertex": {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere.json"}}  # fmt: skip
    wrong = {"bedrock": {"AWS_SECRET_ACCESS_KEY": "another"}, "vertex": {"ROOTCAUSE_MODEL_PROJECT": "another"}}
    with SERVERS[via]([ANSWER]) as server:
        told = [ask(via, server, **nothing[via]), ask(via, server, **wrong[via])]
        assert [] == server.asked
    assert ["ModelRefusedError"] * 2 == [one["error"] for one in told]


def test_frames_are_those_of_the_specification(python):
    """The clouds' own library reads a frame made here, whole and in halves, and refuses one whose checksum is wrong."""
    script = (
        "import sys\nfrom botocore.eventstream import EventStreamBuffer, ChecksumMismatch\n"
        "raw = sys.stdin.buffer.read(); b = EventStreamBuffer()\n"
        "b.add_data(raw[:17]); b.add_data(raw[17:]); print([m.headers[':event-type'] for m in b])\n"
        "b = EventStreamBuffer(); b.add_data(raw[:-1] + bytes([raw[-1] ^ 255]))\n"
        "try: list(b)\nexcept ChecksumMismatch: print('refused')\n"
    )
    raw = chunk({"type": "ping"}) + frame({":event-type": "other"}, b"{}")
    ran = subprocess.run([python, "-c", script], input=raw, capture_output=True, check=True)
    assert "['chunk', 'other']\nrefused\n" == ran.stdout.decode()


def test_the_lock_names_no_place():
    """It is made as the others are, by ``make lock``."""
    assert "://" not in LOCK.read_text()
    assert "tests/live/clouds.lock" in Path(ROOT / "Makefile").read_text()
