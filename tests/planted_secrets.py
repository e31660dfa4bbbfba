"""Secrets drawn by the shape that their issuers document, planted in lines as real software prints them.

Not one is real: every value is drawn from a seed. The shapes are written down here once more, apart from the rules that
look for them.
"""

import base64
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM, HEX = LOWER + UPPER + DIGITS, "0123456789abcdef"
URLSAFE = ALNUM + "-_"


@dataclass(frozen=True, slots=True)
class Planted:
    """A line with a secret in it, and the part that must not leave."""

    kind: str
    line: str
    secret: str


def draw(rng: random.Random, alphabet: str, length: int) -> str:
    """Draw a string that has a letter and a digit where its alphabet has both."""
    while True:
        told = "".join(rng.choice(alphabet) for _ in range(length))
        classes = (str.isdigit, str.isalpha)
        if length < 6 or all(any(map(one, told)) == any(map(one, alphabet)) for one in classes):
            return told


def b64(rng: random.Random, size: int) -> str:
    """Draw bytes and print them as base64."""
    return base64.b64encode(rng.randbytes(size)).decode()


def jwt(rng: random.Random) -> str:
    """Draw a signed token of three parts."""
    parts = ('{"alg":"RS256","typ":"JWT"}', f'{{"sub":"{rng.randrange(10**9)}","iat":1794000000}}')
    return ".".join(
        [*(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts), draw(rng, URLSAFE, 86)]
    )


def tokens(rng: random.Random) -> dict[str, str]:
    """Draw one secret of every kind that can stand anywhere in a line."""
    d = lambda alphabet, length: draw(rng, alphabet, length)  # noqa: E731 - said some sixty times below
    return {
        "AWS access key id": "AKIA" + d(UPPER + "234567", 16),
        "AWS temporary key id": "ASIA" + d(UPPER + "234567", 16),
        "Google API key": "AIza" + d(URLSAFE, 34) + "a",
        "Google OAuth token": "ya29." + d(URLSAFE, 120),
        "Google client secret": "GOCSPX-" + d(URLSAFE, 27) + "b",
        "Azure client secret": d(ALNUM, 3) + "8Q~" + d(ALNUM + "_-~.", 33) + "c",
        "Alibaba key id": "LTAI5t" + d(ALNUM, 18),
        "DigitalOcean token": "dop_v1_" + d(HEX, 64),
        "GitHub token": "ghp_" + d(ALNUM, 36),
        "GitHub app token": "ghs_" + d(ALNUM, 36),
        "GitHub fine-grained token": "github_pat_" + d(ALNUM, 22) + "_" + d(ALNUM, 59),
        "GitLab token": "glpat-" + d(URLSAFE, 19) + "x",
        "GitLab runner token": "glrt-" + d(URLSAFE, 19) + "y",
        "npm token": "npm_" + d(ALNUM, 36),
        "PyPI token": "pypi-AgEIcHlwaS5vcmc" + d(URLSAFE, 150),
        "RubyGems key": "rubygems_" + d(HEX, 48),
        "Docker Hub token": "dckr_pat_" + d(URLSAFE, 26) + "z",
        "Terraform Cloud token": d(ALNUM, 14) + ".atlasv1." + d(URLSAFE, 66) + "d",
        "Pulumi token": "pul-" + d(HEX, 40),
        "SonarQube token": "squ_" + d(HEX, 40),
        "Slack bot token": f"xoxb-{d(DIGITS, 12)}-{d(DIGITS, 12)}-{d(ALNUM, 24)}",
        "Slack user token": f"xoxp-{d(DIGITS, 12)}-{d(DIGITS, 12)}-{d(DIGITS, 12)}-{d(HEX, 32)}",
        "Slack app token": f"xapp-1-A{d(UPPER + DIGITS, 10)}-{d(DIGITS, 13)}-{d(HEX, 64)}",
        "Telegram bot token": d(DIGITS, 10) + ":AA" + d(URLSAFE, 32) + "e",
        "Discord bot token": "MT" + d(ALNUM, 24) + "." + d(ALNUM, 6) + "." + d(ALNUM, 38),
        "Atlassian token": "ATATT3xFfGF0" + d(URLSAFE, 170) + "=" + d(UPPER + DIGITS, 8),
        "Linear key": "lin_api_" + d(ALNUM, 40),
        "Notion token": "ntn_" + d(ALNUM, 46),
        "Figma token": "figd_" + d(URLSAFE, 39) + "f",
        "Stripe key": "sk_live_" + d(ALNUM, 24),
        "Stripe restricted key": "rk_live_" + d(ALNUM, 99),
        "Stripe webhook secret": "whsec_" + d(ALNUM, 32),
        "Square token": "sq0atp-" + d(URLSAFE, 21) + "g",
        "Shopify token": "shpat_" + d(HEX, 32),
        "SendGrid key": "SG." + d(URLSAFE, 22) + "." + d(URLSAFE, 42) + "h",
        "Mailgun key": "key-" + d(HEX, 32),
        "Mailchimp key": d(HEX, 32) + "-us12",
        "Twilio key": "SK" + d(HEX, 32),
        "New Relic key": "NRAK-" + d(UPPER + DIGITS, 27),
        "Grafana token": "glsa_" + d(ALNUM, 32) + "_" + d(HEX, 8),
        "Sentry token": "sntrys_" + b64(rng, 90).rstrip("=") + "_" + d(ALNUM, 43),
        "Dynatrace token": "dt0c01." + d(UPPER + DIGITS, 24) + "." + d(UPPER + DIGITS, 64),
        "Postman key": f"PMAK-{d(HEX, 24)}-{d(HEX, 34)}",
        "Anthropic key": "sk-ant-api03-" + d(URLSAFE, 92) + "AA",
        "OpenAI key": "sk-proj-" + d(ALNUM, 74),
        "OpenAI old key": "sk-" + d(ALNUM, 20) + "T3BlbkFJ" + d(ALNUM, 20),
        "Hugging Face token": "hf_" + d(LOWER + UPPER, 34),
        "Vault token": "hvs." + d(URLSAFE, 94) + "i",
        "Databricks token": "dapi" + d(HEX, 32),
        "PlanetScale token": "pscale_tkn_" + d(URLSAFE, 42) + "j",
        "Doppler token": "dp.pt." + d(ALNUM, 43),
        "age key": "AGE-SECRET-KEY-1" + d(UPPER + DIGITS, 58),
        "Tailscale key": f"tskey-auth-{d(ALNUM, 12)}CNTRL-{d(ALNUM, 32)}",
        "JSON web token": jwt(rng),
        "bcrypt hash": "$2b$12$" + d(ALNUM + "./", 53),
        "crypt hash": "$6$" + d(ALNUM, 12) + "$" + d(ALNUM + "./", 86),
    }


_FREE_LINES = (
    "2026-11-17T06:28:01.123Z ERROR request to upstream failed, sent {} and got 401",
    '{{"level":"warn","msg":"login refused","value":"{}","attempt":3}}',
    "time=2026-11-17T06:28:01Z level=debug msg=refresh using={}",
    "    at config ({}) in /app/main.js:17",
    "env: VALUE={} LOG_LEVEL=info",
    "export X='{}'; ./run",
)


def in_context(rng: random.Random) -> Iterator[Planted]:
    """Draw secrets that only what stands around them gives away."""
    password = draw(rng, ALNUM + "!#%*+", 14) + "9k"
    random_hex, word = draw(rng, HEX, 32), draw(rng, ALNUM, 28)
    basic = base64.b64encode(f"svc-{rng.randrange(99)}:{word}".encode()).decode()
    for kind, line, secret in (
        ("URL password", "connecting to postgres://app:{}@db.internal:5432/shop?sslmode=require", word),
        ("URL password", "amqp://guest:{}@rabbit:5672/ unreachable", password.replace("#", "x").replace("%", "y")),
        ("bearer header", "> Authorization: Bearer {}", draw(rng, URLSAFE, 40)),
        ("bearer header", '{{"headers":{{"authorization":"Bearer {}"}}}}', draw(rng, URLSAFE, 64)),
        ("basic header", "curl -H 'Authorization: Basic {}' https://api/", basic),
        ("basic header", "proxy-authorization: basic {}", basic),
        ("token header", "Authorization: token {}", random_hex),
        ("API key header", "X-Api-Key: {}", random_hex),
        ("cookie", "Cookie: session={}; theme=dark", draw(rng, URLSAFE, 43)),
        ("set-cookie", "< Set-Cookie: JSESSIONID={}; Path=/; HttpOnly", draw(rng, UPPER + DIGITS, 32)),
        ("password pair", "db.user=app db.password={} db.pool=8", password),
        ("password pair", '{{"user":"app","password":"{}"}}', password),
        ("password pair", "Password: {}", password),
        ("escaped password", '{{"msg":"{{\\"passwd\\":\\"{}\\"}}"}}', word),
        ("environment variable", "DB_PASSWORD={} DB_HOST=db", password),
        ("environment variable", "STRIPE_SECRET_KEY={}", word),
        ("client secret", "client_id=web&client_secret={}&grant_type=client_credentials", word),
        ("API key pair", "datadog.api_key={}", random_hex),
        ("access token in a URL", "GET /callback?access_token={}&x=1 HTTP/1.1", word),
        ("code in a URL", "GET /oauth/cb?code={}&scope=all 302", draw(rng, URLSAFE, 44)),
        ("session id", "sessionId={} user=4711 logged in", random_hex),
        ("command option", "exec: mysql --password={} -h db", word),
        ("command option", "helm upgrade --set x=1 --token {}", word),
        ("curl user", "curl -s -u admin:{} https://grafana/api", word),
        ("SQL password", "CREATE USER app IDENTIFIED BY '{}'", password),
        ("Redis password", '"AUTH" "{}"', word),
        ("netrc", "machine git.internal login bot password {}", word),
        ("AWS secret key", "aws_secret_access_key = {}", draw(rng, ALNUM + "+/", 40)),
        ("AWS secret key in JSON", '"SecretAccessKey": "{}",', draw(rng, ALNUM + "+/", 40)),
        ("AWS signed URL", "GET https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature={}", draw(rng, HEX, 64)),
        ("Azure account key", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core", b64(rng, 64)),
        ("Azure SAS", "https://x.blob.core.windows.net/c?sv=2024-11-04&sig={}&se=2026", draw(rng, ALNUM, 40) + "%3D"),
        ("SQL Server string", "Server=db;Database=x;User Id=sa;Password={};Encrypt=yes", password),
        ("Docker login", '{{"auths":{{"registry.internal":{{"auth":"{}"}}}}}}', basic),
        ("Slack webhook", "POST https://hooks.slack.com/services/{} 404", f"T{draw(rng, UPPER + DIGITS, 8)}/B{draw(rng, UPPER + DIGITS, 8)}/{draw(rng, ALNUM, 24)}"),
        ("Discord webhook", "https://discord.com/api/webhooks/991122334455667788/{}", draw(rng, URLSAFE, 68)),
        ("Sentry DSN", "SENTRY=https://{}@o42.ingest.sentry.io/4711", random_hex),
        ("Okta token", "Authorization: SSWS {}", "00" + draw(rng, URLSAFE, 40)),
        ("private key", "key: -----BEGIN RSA PRIVATE KEY-----\\n{}\\n-----END RSA PRIVATE KEY-----", b64(rng, 200)),
        ("private key on lines", "loaded\n-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\nready", "\n".join(b64(rng, 48) for _ in range(6))),
        ("line of a private key", "{}", b64(rng, 48)),
    ):  # fmt: skip
        yield Planted(kind, line.format(secret), secret)


def corpus(seed: int = 11, rounds: int = 6) -> list[Planted]:
    """Plant every kind ``rounds`` times, in another line each time."""
    rng = random.Random(seed)
    planted = []
    for number in range(rounds):
        for kind, secret in tokens(rng).items():
            planted.append(Planted(kind, _FREE_LINES[number % len(_FREE_LINES)].format(secret), secret))
        planted += in_context(rng)
    return planted
