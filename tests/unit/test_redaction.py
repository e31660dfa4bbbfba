"""The egress gate: no secret leaves, clean lines stay as they are, and people come back in what we show."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from planted_secrets import corpus
from readme import ROOT
from sample_report import REPORT

from bot.errors import RedactionError, UsageError
from bot.pages.ticket import adf_comment, wiki_comment
from bot.redaction.gate import LONGEST_LINE, Gate
from bot.redaction.manifests import without_secrets
from bot.redaction.own import own_patterns
from bot.redaction.posted import POSTING, Posting
from bot.settings import RedactionSettings
from bot.slack.sanitise import Sanitiser

LOGHUB = ROOT.parent / "shared" / "data" / "loghub_2k"
MARK = re.compile(r"<[A-Z]+[:_][a-z0-9_#]+>")
CORPUS = corpus()
CITED = next(iter(REPORT.evidence.values()))


def gate(**options):
    """Make a gate with a fixed key."""
    return Gate(b"a key for the tests of redaction.", **options)


def leaks(secret, masked):
    """Give the parts of a secret, of six characters, that are still to be read."""
    shown = MARK.sub("\0", masked)
    return [
        secret[at : at + 6]
        for at in range(len(secret) - 5)
        if secret[at : at + 6] in shown and secret[at : at + 6].strip()
    ]


def test_the_corpus_is_large():
    """As many secrets, of as many kinds, as the promise speaks of."""
    assert len(CORPUS) >= 400
    assert len({planted.kind for planted in CORPUS}) >= 40


def test_no_planted_secret_leaves():
    """Of hundreds of secrets of ninety kinds not one shows as many as six characters in a row."""
    kept = gate()
    told = {(planted.kind, planted.line) for planted in CORPUS if leaks(planted.secret, kept.mask(planted.line))}
    assert set() == told
    assert sum(kept.removed.values()) >= len(CORPUS)


def test_no_planted_secret_leaves_in_a_long_line():
    """Nor where it stands across the border of what is searched at once."""
    kept = gate()
    for planted in CORPUS[:90]:
        if "\n" not in planted.line:
            for before in (8_180, 8_100, 6_150, 14_000):
                assert (
                    leaks(planted.secret, kept.mask("a word " * (before // 7) + planted.line + " and more" * 900)) == []
                )


@pytest.mark.skipif(not LOGHUB.is_dir(), reason="the real logs are not on this machine")
def test_clean_lines_of_real_systems_stay():
    """At most one in a thousand is touched; the lines of sixteen systems hold no secret."""
    kept = gate()
    lines = [
        line for path in sorted(LOGHUB.glob("*/*.log")) for line in path.read_text(errors="replace").splitlines()[::4]
    ]
    touched = [line for line in lines if kept.mask(line) != line and "@" not in line]
    assert len(lines) > 7_000
    assert len(touched) <= len(lines) / 1000


@given(st.text())
def test_people_come_back(text):
    """Whatever the text, masking and turning back changes nothing, where there is no secret."""
    kept = gate(people=("email", "ip", "card", "iban"))
    masked = kept.mask(text)
    if not any("SECRET:" in found for found in MARK.findall(masked)):
        assert text == kept.unmask(masked)


ADDRESSES = st.sampled_from(
    ["ann@example.org", "Ann@Example.org", "bob.b@mail.co.uk", "10.1.2.3", "<EMAIL_0a1b2c>", "<SECRET:x#0000>", "hi"]
)


@given(st.lists(ADDRESSES, max_size=8).map(" ".join))
def test_people_come_back_from_among_spoofs(text):
    """A mark that a stranger wrote is a text like any other: it turns back into itself."""
    kept = gate(people=("email", "ip"))
    masked = kept.mask(text)
    assert text == kept.unmask(masked)
    assert "example.org" not in masked.lower()
    assert masked == kept.recheck(masked)


def test_the_same_person_is_the_same_everywhere():
    """For one key; another key gives another pseudonym, and nobody can try names against it."""
    first, again, other = gate().mask("from ann@example.org"), gate().mask("ann@example.org left"), Gate(b"another")
    assert MARK.findall(first) == MARK.findall(again)
    assert MARK.findall(first) != MARK.findall(other.mask("ann@example.org"))


def test_a_forged_mark_is_not_turned_into_a_person():
    """What a log line calls a pseudonym gets one of its own."""
    kept = gate()
    real = kept.mask("ann@example.org")
    forged = kept.mask(f"user {real} says so")
    assert real not in forged
    assert f"user {real} says so" == kept.unmask(forged)


def test_a_quote_is_found_in_the_stored_text():
    """The verifier gets the stored characters, people read names, and nobody reads the secret."""
    kept = gate()
    stored = 'login of ann@example.org failed, password="hunter2hunter2" after 3 tries'
    quote = kept.mask(stored)[len("login ") :]
    found = kept.locate(quote, stored)
    assert found is not None
    assert found.stored == stored[len("login ") :]
    assert found.shown.startswith("of ann@example.org failed")
    assert "hunter2" not in found.shown + found.clean
    assert found.clean in stored
    assert kept.locate("login of bob@example.org failed", stored) is None
    assert kept.locate('"replicas":3', '{\n  "replicas": 3\n}').stored == '"replicas": 3'


def test_own_patterns_are_taken_out():
    """What an organisation calls a secret is one."""
    kept = gate(own=[r"ACME-[0-9]{6}"])
    assert re.fullmatch(r"id <SECRET:own#\w{4}> ok", kept.mask("id ACME-123456 ok"))


@pytest.mark.parametrize(
    "pattern", [r"(a{1,9}){1,9}b", r"a+", r"x*y", r"(?:ab){2,}", r"(a)\1", r"(", r"a{0,3}", r"(?=a+)b", "a" * 501]
)
def test_a_pattern_that_could_hang_is_refused(pattern):
    """With a sentence, before it meets a line."""
    with pytest.raises(UsageError):
        own_patterns([pattern])


def test_a_hostile_line_takes_no_time_and_its_end_is_withheld():
    """Megabytes that almost match are searched no further than promised."""
    kept = gate(people=("email", "ip", "card", "iban"))
    for piece in ("password=", "eyJ" * 9 + ".", "a@", "-----BEGIN ", "://a:", "4111 1111 ", "token: ", "1.", "AAAA"):
        masked = kept.mask(piece * (2 * LONGEST_LINE // len(piece)))
        assert len(masked) < 4 * LONGEST_LINE
        assert masked.endswith(">")


def test_a_text_that_cannot_be_searched_raises():
    """The gate fails closed."""
    with pytest.raises(RedactionError):
        gate().mask(_Broken("aaa"))


class _Broken(str):
    """A text that cannot be cut into lines."""

    __slots__ = ()

    def split(self, *_arguments):
        """Fail as no text does."""
        raise ValueError


def test_nothing_posted_holds_a_secret():
    """Neither for Slack nor for a ticket; what stood there is said, and names of people stay."""
    sanitiser = Sanitiser()
    for planted in CORPUS[:90]:
        for told in (sanitiser.text(planted.line), sanitiser.code(planted.line, 600), sanitiser.verbatim(planted.line)):
            assert not leaks(planted.secret, re.sub(r"\[[a-z0-9 ]+ removed\]", "", told))
    assert (
        POSTING.text("ann@example.org wrote password=hunter2hunter2")
        == "ann@example.org wrote password=[password removed]"
    )
    secret = "hunter2" * 3
    report = replace(
        REPORT, summary=f"It logged password={secret}", evidence={"E1": replace(CITED, quote=f"pwd={secret}")}
    )
    assert secret not in json.dumps(adf_comment(report, "m")) + wiki_comment(report, "m")
    assert POSTING.all(REPORT) is REPORT


def test_an_organisations_own_secrets_are_not_posted_either():
    """Its patterns reach Slack and both kinds of Jira; without them the words pass, and one that could hang is refused."""
    posting, secret = Posting((r"ACME-[0-9]{6,12}",)), "ACME-" + "20261117"
    sanitiser = Sanitiser((), posting)
    for told in (sanitiser.text(f"key {secret} taken"), sanitiser.code(secret), sanitiser.verbatim(secret)):
        assert secret not in told
        assert "[secret removed]" in told
    report = replace(REPORT, summary=f"It logged {secret}", evidence={"E1": replace(CITED, quote=secret)})
    pages = json.dumps(adf_comment(report, "m", posting)), wiki_comment(report, "m", posting)
    assert all(secret not in page and "removed" in page for page in pages)
    assert secret in Sanitiser().verbatim(secret)
    with pytest.raises(UsageError):
        Posting((r"(a+)+",))


def test_manifests_hide_values_by_their_place():
    """A variable's value goes with its name; a reference and a number stay."""
    manifest = {
        "kind": "Deployment",
        "spec": {
            "containers": [
                {"env": [{"name": "DB_PASSWORD", "value": "simple"}, {"name": "LOG_LEVEL", "value": "info"}]},
                {"env": [{"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}}]},
            ],
            "terminationGracePeriodSeconds": 15,
        },
    }
    told = without_secrets(manifest, lambda kind, _value: f"<{kind}>")
    assert told["spec"]["containers"][0]["env"] == [
        {"name": "DB_PASSWORD", "value": "<environment>"},
        {"name": "LOG_LEVEL", "value": "info"},
    ]
    assert told["spec"]["containers"][1] == manifest["spec"]["containers"][1]
    assert told["spec"]["terminationGracePeriodSeconds"] == 15
    secret = without_secrets({"kind": "Secret", "data": {"a": "Zm9v"}}, lambda kind, _value: kind)
    assert secret["data"] == {"a": "kubernetes_secret"}


def test_settings_say_what_to_hide(monkeypatch, tmp_path):
    """Names switch on the hiding of names; an unknown kind and a missing file are sentences."""
    path = tmp_path / "patterns"
    path.write_text("# ours\nACME-[0-9]{6}\n\n")
    monkeypatch.setenv("ROOTCAUSE_SECRET_PATTERNS", str(path))
    monkeypatch.setenv("ROOTCAUSE_HIDE_NAMES", "Ann Example, Bob")
    told = RedactionSettings.from_environment()
    assert (told.hide, told.names, told.patterns) == (("email", "name"), ("Ann Example", "Bob"), ("ACME-[0-9]{6}",))
    kept = gate(people=told.hide, names=told.names)
    assert "Ann" not in kept.mask("asked ann example and Bob")
    monkeypatch.setenv("ROOTCAUSE_HIDE", "faces")
    with pytest.raises(UsageError, match="faces"):
        RedactionSettings.from_environment()
    monkeypatch.setenv("ROOTCAUSE_HIDE", "email")
    monkeypatch.setenv("ROOTCAUSE_SECRET_PATTERNS", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="cannot be read"):
        RedactionSettings.from_environment()
