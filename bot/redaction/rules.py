"""Secrets that give themselves away by their shape: prefixes of issuers, and the words that stand before them.

Shapes are those that issuers document. Every rule names literals of which one must occur before its expression is tried,
so that a clean line costs little; every repetition is bounded, so that a hostile one costs little, too. What is called a
secret only by its name (``password=…``) is in ``named``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """``probes``: literals (as they are) of which one must occur; the group ``v`` is the secret, else the whole match."""

    kind: str
    probes: tuple[str, ...]
    pattern: re.Pattern[str]


_B = r"(?<![A-Za-z0-9_-])"  # not in the middle of a word
_E = r"(?![A-Za-z0-9_-])"
_W = r"[A-Za-z0-9_-]"


def _rule(kind: str, probes: str, pattern: str) -> Rule:
    return Rule(kind, tuple(probes.split(" ")), re.compile(pattern))


def _token(kind: str, prefixes: str, rest: str) -> Rule:
    """Make the rule of tokens that begin with one of some prefixes."""
    heads = "|".join(re.escape(prefix) for prefix in prefixes.split(" "))
    return _rule(kind, prefixes, f"{_B}(?:{heads}){rest}{_E}")


SHAPES: tuple[Rule, ...] = (
    # clouds
    _rule("aws_key_id", "AKIA ASIA ABIA ACCA", rf"{_B}(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}{_E}"),
    _rule("aws_signature", "X-Amz-", r"X-Amz-(?:Signature|Credential|Security-Token)=(?P<v>[^&\s\"'<>]{8,2000})"),
    _rule("google_api_key", "AIza", rf"{_B}AIza{_W}{{35}}{_E}"),
    _rule("google_oauth_token", "ya29.", rf"{_B}ya29\.{_W}{{20,400}}"),
    _rule("google_refresh_token", "1//0", rf"{_B}1//0{_W}{{30,200}}"),
    _rule("google_client_secret", "GOCSPX-", rf"{_B}GOCSPX-{_W}{{20,40}}"),
    _rule("google_signature", "X-Goog-", r"X-Goog-(?:Signature|Credential)=(?P<v>[^&\s\"'<>]{8,2000})"),
    _rule(
        "azure_account_key",
        "AccountKey= SharedAccessKey=",
        r"(?:AccountKey|SharedAccessKey)=(?P<v>[A-Za-z0-9+/]{20,120}={0,2})",
    ),
    _rule("azure_sas", "sig=", r"[?&;]sig=(?P<v>[A-Za-z0-9%+/=_-]{20,200})"),
    _rule("azure_client_secret", "Q~", r"(?<![\w.~-])[A-Za-z0-9_.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~-])"),
    _rule("alibaba_key_id", "LTAI", rf"{_B}LTAI[A-Za-z0-9]{{12,24}}{_E}"),
    _rule("tencent_key_id", "AKID", rf"{_B}AKID[A-Za-z0-9]{{32}}{_E}"),
    _token("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    _token("heroku_key", "HRKU-", r"[A-Za-z0-9_-]{36,64}"),
    _token("fly_token", "fm1r_ fm2_ fm1a_ fo1_", r"[A-Za-z0-9+/=_-]{30,1000}"),
    _token("yandex_key", "AQVN YCAJ", r"[A-Za-z0-9_-]{21,60}"),
    # code and packages
    _token("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36,255}"),
    _token("github_fine_token", "github_pat_", r"[A-Za-z0-9_]{40,255}"),
    _token(
        "gitlab_token",
        "glpat- glrt- gldt- glptt- glcbt- glsoat- glft- glagent- gloas- glimt-",
        r"[A-Za-z0-9_.-]{20,80}",
    ),
    _token("bitbucket_token", "ATBB ATCTT3xFfG", r"[A-Za-z0-9_=-]{24,220}"),
    _token("npm_token", "npm_", r"[A-Za-z0-9]{36}"),
    _token("pypi_token", "pypi-AgE", r"[A-Za-z0-9_-]{40,400}"),
    _token("rubygems_key", "rubygems_", r"[a-f0-9]{48}"),
    _token("crates_token", "cio", r"[A-Za-z0-9]{32}"),
    _token("docker_token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_-]{27,40}"),
    _token("terraform_token", "TFE_", r"[A-Za-z0-9_-]{40,90}"),
    _rule("terraform_cloud_token", ".atlasv1.", rf"{_B}[A-Za-z0-9]{{14}}\.atlasv1\.[A-Za-z0-9_=-]{{40,90}}"),
    _token("pulumi_token", "pul-", r"[a-f0-9]{40}"),
    _token("sonar_token", "squ_ sqp_ sqa_", r"[a-f0-9]{40}"),
    _token("buildkite_token", "bkua_ bkaa_", r"[a-f0-9]{40}"),
    # chat and people
    _rule(
        "slack_token",
        "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. xoxc- xoxd-",
        rf"{_B}xox[abcdeprs][.-][A-Za-z0-9%.-]{{10,300}}",
    ),
    _rule("slack_app_token", "xapp-", rf"{_B}xapp-[0-9]-[A-Za-z0-9-]{{10,200}}"),
    _rule(
        "slack_webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Za-z0-9/_-]{20,200})",
    ),
    _rule("discord_webhook", "/api/webhooks/", r"/api/webhooks/\d{5,30}/(?P<v>[A-Za-z0-9_-]{30,100})"),
    _rule("discord_token", ".", rf"{_B}[MNO][A-Za-z0-9_-]{{23,27}}\.[A-Za-z0-9_-]{{6}}\.[A-Za-z0-9_-]{{27,40}}{_E}"),
    _rule("teams_webhook", "webhook.office.com", r"webhook\.office\.com/webhookb2/(?P<v>[A-Za-z0-9@/_-]{30,300})"),
    _rule("telegram_token", ":AA", r"(?<![A-Za-z0-9_-])(?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{32,35}" + _E),
    _token("atlassian_token", "ATATT3 ATCTT3 ATSTT3", r"[A-Za-z0-9_=-]{40,250}"),
    _token("linear_key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{32,70}"),
    _token("notion_token", "ntn_", r"[A-Za-z0-9]{40,60}"),
    _token("figma_token", "figd_", r"[A-Za-z0-9_-]{30,60}"),
    _token("airtable_token", "pat", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    _token("asana_token", "1/", r"\d{12,20}:[a-f0-9]{32}"),
    # money
    _token("stripe_key", "sk_live_ rk_live_ sk_test_ rk_test_ pk_live_", r"[A-Za-z0-9]{16,247}"),
    _token("stripe_webhook_secret", "whsec_", r"[A-Za-z0-9+/=]{24,80}"),
    _token("square_token", "sq0atp- sq0csp- EAAAE EAAAl", r"[A-Za-z0-9_-]{22,60}"),
    _token("shopify_token", "shpat_ shpca_ shppa_ shpss_", r"[A-Fa-f0-9]{32}"),
    _rule("braintree_token", "access_token$", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    _token("plaid_token", "access-production- access-sandbox- access-development-", r"[a-f0-9-]{36}"),
    # mail and phones
    _token("sendgrid_key", "SG.", r"[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}"),
    _token("mailgun_key", "key-", r"[a-f0-9]{32}"),
    _rule("mailchimp_key", "-us", rf"{_B}[a-f0-9]{{32}}-us\d{{1,2}}{_E}"),
    _token("sendinblue_key", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _token("twilio_key", "SK", r"[a-f0-9]{32}"),
    # watching
    _token("newrelic_key", "NRAK- NRII- NRJS- NRAA-", r"[A-Za-z0-9_-]{19,40}"),
    _token("grafana_token", "glsa_ glc_", r"[A-Za-z0-9+/=_-]{32,400}"),
    _token("sentry_token", "sntrys_ sntryu_", r"[A-Za-z0-9+/=_-]{40,400}"),
    _rule(
        "sentry_dsn", "ingest sentry", r"https?://(?P<v>[a-f0-9]{32}(?::[a-f0-9]{32})?)@[A-Za-z0-9.-]{4,100}/\d{1,20}"
    ),
    _token("dynatrace_token", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _token("honeycomb_key", "hcaik_ hcaic_ hcxik_", r"[A-Za-z0-9]{40,80}"),
    _token("postman_key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    # models
    _token("anthropic_key", "sk-ant-", r"[A-Za-z0-9_-]{20,200}"),
    _token("openai_key", "sk-proj- sk-svcacct- sk-admin- sk-None- sk-", r"[A-Za-z0-9_-]{32,250}"),
    _token("huggingface_token", "hf_ api_org_", r"[A-Za-z0-9]{30,40}"),
    _token("replicate_token", "r8_", r"[A-Za-z0-9]{37,40}"),
    _token("groq_key", "gsk_", r"[A-Za-z0-9]{48,60}"),
    _token("perplexity_key", "pplx-", r"[A-Za-z0-9]{40,60}"),
    _token("xai_key", "xai-", r"[A-Za-z0-9]{60,100}"),
    # stores and vaults
    _token("vault_token", "hvs. hvb. hvr.", r"[A-Za-z0-9_-]{24,250}"),
    _token("vault_legacy_token", "s.", r"(?=[A-Za-z]{0,23}[0-9])[A-Za-z0-9]{24}"),
    _token("databricks_token", "dapi", r"[a-f0-9]{32}(?:-\d)?"),
    _token("planetscale_token", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[A-Za-z0-9_.-]{32,64}"),
    _token("supabase_key", "sbp_ sb_secret_", r"[A-Za-z0-9_]{20,64}"),
    _token("neon_key", "napi_", r"[a-z0-9]{48,80}"),
    _token("doppler_token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim.", r"[A-Za-z0-9._-]{40,90}"),
    _token("onepassword_token", "ops_eyJ", r"[A-Za-z0-9+/=_-]{50,3000}"),
    _token("age_key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    _rule("okta_token", "SSWS", r"SSWS[ =]{1,3}(?P<v>[A-Za-z0-9_-]{20,80})"),
    _rule("cloudflare_origin_key", "v1.0-", rf"{_B}v1\.0-[a-f0-9]{{24}}-[a-f0-9]{{100,160}}"),
    _token("tailscale_key", "tskey-", r"[A-Za-z0-9]{2,12}-[A-Za-z0-9_-]{10,90}"),
    _token("confluent_secret", "cflt", r"[A-Za-z0-9+/]{50,70}"),
    # what any system may print
    _rule("jwt", "eyJ", rf"(?<![A-Za-z0-9_])eyJ{_W}{{8,4000}}\.(?:eyJ)?{_W}{{4,6000}}(?:\.{_W}{{0,2000}}){{0,3}}"),
    _rule(
        "password_hash",
        "$2 $5$ $6$ $1$ $y$ $argon2 {SSHA $pbkdf2",
        r"(?:\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$[156y]\$[./A-Za-z0-9$=,]{1,40}\$[./A-Za-z0-9]{20,90}|\$argon2(?:id|i|d)\$[A-Za-z0-9$=,+/]{30,200}|\{SSHA\d{0,3}\}[A-Za-z0-9+/=]{20,100}|\$pbkdf2[-a-z0-9]{0,10}\$[A-Za-z0-9$./]{20,200})",
    ),
    _rule("putty_key", "Private-Lines:", r"Private-Lines:.{0,8000}"),
    # a private key in PEM, encoded once more, as a Secret holds it
    _rule(
        "private_key",
        "LS0tLS1CRUdJTi",
        r"LS0tLS1CRUdJTi(?:BSU0EgUF|BQUklWQVRF|BFQyBQUk|BPUEVOU1NI|BFTkNSWVBU|BEU0EgUF)[A-Za-z0-9+/]{20,16000}={0,2}",
    ),
)

HEADERS: tuple[Rule, ...] = (
    _rule("bearer_header", "earer EARER", r"(?i:bearer)(?:[ :=\"']|%20|\+){1,4}(?P<v>[A-Za-z0-9._~+/=-]{8,4000})"),
    _rule(
        "basic_header",
        "asic ASIC",
        r"(?<![A-Za-z])(?i:basic)(?: |%20|\+){1,2}(?P<v>[A-Za-z0-9+/_-]{8,400}={0,2})(?![A-Za-z0-9+/=_-])",
    ),
    _rule("digest_header", "igest ", r"(?i:digest) (?P<v>(?:[a-z]{2,12}=\"?[^\",]{1,200}\"?,? ?){3,12})"),
    _rule("negotiate_header", "egotiate TLM", r"(?i:negotiate|ntlm) (?P<v>[A-Za-z0-9+/]{20,4000}={0,2})"),
    _rule(
        "authorization_header",
        "uthorization AUTHORIZATION",
        r"(?i:(?:proxy-)?authorization)[\"']?(?: ?[:=] ?| => )[\"'\[]{0,2}(?:(?i:token|apikey|key|aws4-hmac-sha256|hmac) )?(?P<v>[^\s\"'\]}<>]{8,2000})",
    ),
    _rule(
        "cookie",
        "ookie OOKIE",
        r"(?i:(?:set-)?cookie2?)[\"']?(?: ?: ?| ?= ?| => )[\"'\[]{0,2}(?P<v>[A-Za-z0-9_.-]{1,80}=[^\"'\]}<>]{2,4000})",
    ),
)
"""Headers as clients, proxies and debuggers print them."""

_BLANK = r"(?: |%20|\+)"
_KEY_NAME = rf"(?:[A-Z0-9]{{1,12}}{_BLANK}){{0,3}}PRIVATE{_BLANK}KEY(?:{_BLANK}BLOCK)?"
PEM_BEGIN = re.compile(rf"-{{4,5}}{_BLANK}?BEGIN{_BLANK}{_KEY_NAME}{_BLANK}?-{{4,5}}")
PEM_END = re.compile(rf"-{{4,5}}{_BLANK}?END{_BLANK}{_KEY_NAME}{_BLANK}?-{{4,5}}")
"""As RFC 7468, OpenSSH, OpenPGP and SSH2 (RFC 4716) write them, in a form field's encoding, too."""
_PEM_BODY = re.compile(
    r"(?:MII[A-Za-z0-9+/]{37,}|[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70}|b3BlbnNzaC1rZXk[A-Za-z0-9+/]{20,})={0,2}"
)
"""A line that is a line of a key: keys are wrapped at 64 or 70 characters."""
_LAST_ROW = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9+/])[A-Za-z0-9+/]{6,75}={1,2}")
"""A key's last row where it is filled up: drawn from all signs."""
_KEY_ROW = re.compile(
    r"(?<![A-Za-z0-9+/=_-])(?:\\n)?(?P<v>[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{6}|[A-Za-z0-9+/]{12})?)(?![A-Za-z0-9+/=_-])"
)


_WORD_IN_PATH = re.compile(r"[a-z]{6}")


def row_alone(line: str) -> bool:
    """Tell whether a whole line is a row of a key, the last one included where it is filled up with ``=``."""
    return _PEM_BODY.fullmatch(line) is not None or (line.endswith("=") and _LAST_ROW.fullmatch(line) is not None)


def key_rows(text: str) -> Iterator[tuple[int, int]]:
    """Find what looks like a row of a key within a line: of its length, drawn from all 64 signs.

    A digest of 64 signs is drawn from sixteen, and a path or a name from few capitals.
    """
    for found in _KEY_ROW.finditer(text) if len(text) >= 64 else ():
        row = found["v"]
        capitals, digits = sum(map(str.isupper, row)), sum(map(str.isdigit, row))
        if row.count("/") >= 5 and digits <= 3 and _WORD_IN_PATH.search(row):
            continue  # a path: what is drawn has some ten digits
        if len(set(row)) >= 26 and capitals >= 8 and digits and len(row) - capitals - digits >= 8:
            yield found.span("v")
