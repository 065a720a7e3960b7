"""Secrets that never were: drawn by chance in the shape of each provider's, and lines in which there are none."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable
from functools import partial

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
WORD = UPPER + LOWER + DIGITS
URL64 = WORD + "-_"
HEX = "0123456789abcdef"
BASE32 = UPPER + "234567"


def canaries(seed: int = 1) -> dict[str, str]:
    """Return a secret of each kind. A pattern of pieces is text, or an alphabet with a length."""
    rng = random.Random(seed)
    return {kind: "".join(_drawn(rng, piece) for piece in pieces) for kind, pieces in SHAPES.items()} | {
        "rsa key": _pem(rng, "RSA PRIVATE KEY"),
        "openssh key": _pem(rng, "OPENSSH PRIVATE KEY"),
        "pgp key": _pem(rng, "PGP PRIVATE KEY BLOCK"),
    }


def benign(count: int, seed: int = 1) -> list[str]:
    """Return lines as they stand in transcripts, with much in them that looks random."""
    rng = random.Random(seed)
    hex_ = partial(_drawn, rng)
    makers: list[Callable[[], str]] = [
        lambda: f"commit {hex_((HEX, 40))} Merge branch 'main'",
        lambda: f"sha256:{hex_((HEX, 64))}  dist/ccod-{rng.randrange(9)}.tar.gz",
        lambda: f"integrity sha512-{base64.b64encode(rng.randbytes(64)).decode()}",
        lambda: f"session {uuid.UUID(int=rng.getrandbits(128))} resumed",
        lambda: f"data:image/png;base64,{base64.b64encode(rng.randbytes(300)).decode()}",
        lambda: (
            f"/home/user/{hex_((LOWER, 9))}/{hex_((LOWER, 12))}_test_{hex_((DIGITS, 3))}.py:{rng.randrange(999)}: in f"
        ),
        lambda: f'    token = self._tokens.get("{hex_((LOWER, 8))}", default_token)',
        lambda: f"password: str | None = field(default=None, max={rng.randrange(99)})",
        lambda: f'"max_tokens": {rng.randrange(10**6)}, "token_count": {rng.randrange(10**9)},',
        lambda: f"def test_secret_is_masked_{hex_((LOWER, 6))}(api_key: str, token: Token) -> None:",
        lambda: f'API_KEY = os.environ["{hex_((UPPER, 6))}_API_KEY"]',
        lambda: f"key={hex_((LOWER, 8))} value={rng.random()}",
        lambda: f"https://example.org/{hex_((LOWER, 8))}?page={rng.randrange(99)}&token_type=bearer",
        lambda: f"git clone git@github.com:{hex_((LOWER, 8))}/{hex_((LOWER, 12))}.git",
        lambda: f"task-{hex_((LOWER, 12))}-worker-{hex_((DIGITS, 6))}-{hex_((LOWER, 20))}",
        lambda: f"msg_{hex_((WORD, 24))} toolu_{hex_((WORD, 24))} req_{hex_((WORD, 24))}",
        lambda: f"const secret = useSecret(props.{hex_((LOWER, 9))}Key1);",
        lambda: f"PASSWORD=${{{hex_((UPPER, 8))}_PASSWORD}}",
        lambda: f"token: <your-token-here-{rng.randrange(99)}>",
        lambda: f"the secret of {hex_((LOWER, 9))} is patience: 100 % of it, said the token seller",
        lambda: f"export PATH=/opt/{hex_((LOWER, 9))}/bin:$PATH # key: none",
        lambda: f"{hex_((HEX, 8))} {hex_((HEX, 8))} {hex_((HEX, 8))}  ELF header, bearer of bad news",
        lambda: f"postgresql://localhost:5432/{hex_((LOWER, 9))}?application_name={hex_((LOWER, 9))}",
        lambda: f'"signature": "{base64.b64encode(rng.randbytes(120)).decode()}"',
    ]
    return [rng.choice(makers)() for _ in range(count)]


def _drawn(rng: random.Random, piece: str | tuple[str, int]) -> str:
    return piece if isinstance(piece, str) else "".join(rng.choices(piece[0], k=piece[1]))


def _pem(rng: random.Random, kind: str) -> str:
    body = base64.encodebytes(rng.randbytes(600)).decode()
    return f"-----BEGIN {kind}-----\n{body}-----END {kind}-----"


SHAPES: dict[str, tuple[str | tuple[str, int], ...]] = {
    "age": ("AGE-SECRET-KEY-1", (UPPER + DIGITS, 58)),
    "anthropic": ("sk-ant-api03-", (URL64, 93), "AA"),
    "anthropic oauth": ("sk-ant-oat01-", (URL64, 86)),
    "openrouter": ("sk-or-v1-", (HEX, 64)),
    "openai project": ("sk-proj-", (URL64, 120)),
    "openai service": ("sk-svcacct-", (URL64, 120)),
    "openai": ("sk-", (WORD, 48)),
    "huggingface": ("hf_", (WORD, 34)),
    "groq": ("gsk_", (WORD, 52)),
    "replicate": ("r8_", (WORD, 37)),
    "perplexity": ("pplx-", (WORD, 48)),
    "xai": ("xai-", (WORD, 80)),
    "nvidia": ("nvapi-", (URL64, 64)),
    "langsmith": ("lsv2_pt_", (HEX, 32), "_", (HEX, 10)),
    "github": ("ghp_", (WORD, 36)),
    "github app": ("ghs_", (WORD, 36)),
    "github fine": ("github_pat_", (WORD, 22), "_", (WORD, 59)),
    "gitlab": ("glpat-", (URL64, 20)),
    "gitlab runner": ("glrt-", (URL64, 20)),
    "atlassian": ("ATATT3xFfGF0", (URL64, 180)),
    "npm": ("npm_", (WORD, 36)),
    "pypi": ("pypi-AgEIcHlwaS5vcmc", (URL64, 150)),
    "rubygems": ("rubygems_", (HEX, 48)),
    "crates": ("cio", (WORD, 32)),
    "docker": ("dckr_pat_", (URL64, 27)),
    "postman": ("PMAK-", (HEX, 24), "-", (HEX, 34)),
    "linear": ("lin_api_", (WORD, 40)),
    "figma": ("figd_", (URL64, 40)),
    "notion": ("ntn_", (WORD, 46)),
    "sentry": ("sntryu_", (HEX, 64)),
    "sonar": ("squ_", (HEX, 40)),
    "aws access": ("AKIA", (BASE32, 16)),
    "aws session": ("ASIA", (BASE32, 16)),
    "aws secret": ("aws_secret_access_key = ", (WORD + "+", 40)),
    "google api": ("AIza", (URL64, 35)),
    "google oauth": ("ya29.", (URL64, 100)),
    "google client": ("GOCSPX-", (URL64, 28)),
    "azure client": ((WORD, 3), "8Q~", (WORD, 34)),
    "azure storage": ("AccountKey=", (WORD, 86), "=="),
    "digitalocean": ("dop_v1_", (HEX, 64)),
    "heroku": ("HRKU-", (WORD, 60)),
    "fly": ("fm2_", (WORD, 80)),
    "vault": ("hvs.", (URL64, 90)),
    "terraform": ((WORD, 14), ".atlasv1.", (WORD, 67)),
    "pulumi": ("pul-", (HEX, 40)),
    "tailscale": ("tskey-auth-", (WORD, 12), "-", (WORD, 32)),
    "databricks": ("dapi", (HEX, 32)),
    "supabase": ("sbp_", (HEX, 40)),
    "planetscale": ("pscale_tkn_", (URL64, 43)),
    "doppler": ("dp.pt.", (WORD, 43)),
    "grafana": ("glsa_", (WORD, 32), "_", (HEX, 8)),
    "newrelic": ("NRAK-", (UPPER + DIGITS, 27)),
    "dynatrace": ("dt0c01.", (BASE32, 24), ".", (BASE32, 64)),
    "slack bot": ("xoxb-", (DIGITS, 12), "-", (DIGITS, 12), "-", (WORD, 24)),
    "slack app": ("xapp-1-A", (UPPER + DIGITS, 10), "-", (DIGITS, 13), "-", (HEX, 64)),
    "slack webhook": ("https://hooks.slack.com/services/T", (UPPER, 8), "/B", (UPPER, 8), "/", (WORD, 24)),
    "discord webhook": ("https://discord.com/api/webhooks/", (DIGITS, 18), "/", (URL64, 68)),
    "discord": ("M", (WORD, 25), ".", (WORD, 6), ".", (URL64, 38)),
    "telegram": ((DIGITS, 10), ":AA", (URL64, 33)),
    "stripe": ("sk_live_", (WORD, 24)),
    "stripe restricted": ("rk_live_", (WORD, 99)),
    "webhook": ("whsec_", (WORD, 32)),
    "square": ("sq0atp-", (URL64, 22)),
    "shopify": ("shpat_", (HEX, 32)),
    "twilio": ("SK", (HEX, 32)),
    "sendgrid": ("SG.", (URL64, 22), ".", (URL64, 43)),
    "mailgun": ("key-", (HEX, 32)),
    "brevo": ("xkeysib-", (HEX, 64), "-", (WORD, 16)),
    "airtable": ("pat", (WORD, 14), ".", (HEX, 64)),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJ", (URL64, 60), ".", (URL64, 43)),
    "bearer": ("Authorization: Bearer ", (WORD, 40)),
    "url": ("postgres://admin:", (WORD, 14), "@db.example.org/prod"),
    "password": ("password=", (WORD, 9), "#4x"),
}
