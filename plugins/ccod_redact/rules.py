"""The table of secrets. Each provider documents the prefix of its tokens; the comment above a group says where.

What has a prefix stands before what is known by the word beside it, so that a secret is called by its provider.
"""

from __future__ import annotations

import re

from ccod import SecretRule

WORD = "[A-Za-z0-9]"
URL64 = "[A-Za-z0-9_-]"
HEX = "[a-f0-9]"
# Where a word begins, also behind an escaped line end in JSON.
EDGE = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"


def _tokens(kind: str, body: str, *starts: str, entropy: float = 2.5) -> SecretRule:
    """Return the rule of tokens that begin with one of `starts`, which no letter or digit precedes."""
    return SecretRule(kind, "|".join(_begin(start) + body for start in starts), starts, entropy=entropy)


def _begin(start: str) -> str:
    """The literal comes first, because a search for it is fast; behind an escaped line end it begins a word, too."""
    literal = re.escape(start)
    return rf"{literal}(?:(?<![A-Za-z0-9_]{literal})|(?<=\\[nrt]{literal}))"


# RFC 7468; OpenPGP armor, RFC 9580. A key whose end was cut off is known by its lines.
KEYS = (
    SecretRule(
        "private-key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,40}-----|(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{16,}+)++"
        r"(?:(?:\s|\\[nr])++[A-Za-z0-9+/=]{1,63}+(?![ \w]))?)",
        words=("-----begin",),
    ),
    # github.com/FiloSottile/age
    _tokens("age-secret-key", "[A-Z0-9]{40,}+", "AGE-SECRET-KEY-1"),
)

MODELS = (
    # docs.anthropic.com: API keys, admin keys and OAuth tokens
    _tokens("anthropic-api-key", URL64 + "{20,}+", "sk-ant-"),
    # openrouter.ai/docs
    _tokens("openrouter-api-key", WORD + "{32,}+", "sk-or-v1-"),
    # platform.openai.com: project, service-account and admin keys, and those without a word; also DeepSeek's
    _tokens("openai-api-key", URL64 + "{20,}+", "sk-proj-", "sk-svcacct-", "sk-admin-"),
    _tokens("openai-api-key", WORD + "{32,}+", "sk-"),
    # huggingface.co/docs/hub/security-tokens
    _tokens("huggingface-token", WORD + "{30,}+", "hf_", "api_org_"),
    # console.groq.com, replicate.com, docs.perplexity.ai, docs.x.ai, build.nvidia.com, console.cloud.google.com
    _tokens("groq-api-key", WORD + "{40,}+", "gsk_"),
    _tokens("replicate-token", WORD + "{30,}+", "r8_"),
    _tokens("perplexity-api-key", WORD + "{40,}+", "pplx-"),
    _tokens("xai-api-key", WORD + "{40,}+", "xai-"),
    _tokens("nvidia-api-key", URL64 + "{40,}+", "nvapi-"),
    _tokens("langsmith-api-key", "(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{8,}+", "lsv2_"),
)

CODE = (
    # github.blog/2021-04-05-behind-githubs-new-authentication-token-formats
    _tokens("github-token", WORD + "{36,}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _tokens("github-token", "[A-Za-z0-9_]{50,}+", "github_pat_"),
    # docs.gitlab.com/security/tokens
    _tokens(
        "gitlab-token",
        "[A-Za-z0-9_.-]{20,}+",
        "glpat-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glptt-",
        "glft-",
        "glsoat-",
        "glagent-",
        "GR1348941",
    ),
    # support.atlassian.com: API tokens, and Bitbucket's app passwords
    _tokens("atlassian-token", "[A-Za-z0-9_=-]{40,}+", "ATATT3", "ATCTT3", "ATBB"),
    # docs.npmjs.com, pypi.org/help, guides.rubygems.org, crates.io, hub.docker.com
    _tokens("npm-token", WORD + "{36,}+", "npm_"),
    _tokens("pypi-token", URL64 + "{50,}+", "pypi-AgE"),
    _tokens("rubygems-key", HEX + "{48}", "rubygems_"),
    _tokens("crates-io-token", WORD + "{32,}+", "cio"),
    _tokens("docker-token", URL64 + "{27,}+", "dckr_pat_", "dckr_oat_"),
    # postman.com, linear.app, figma.com, notion.com, docs.sentry.io, docs.sonarsource.com
    _tokens("postman-api-key", "[a-f0-9]{24}-[a-f0-9]{34}", "PMAK-"),
    _tokens("linear-api-key", WORD + "{40,}+", "lin_api_", "lin_oauth_"),
    _tokens("figma-token", URL64 + "{40,}+", "figd_", "figo_"),
    _tokens("notion-token", WORD + "{40,}+", "ntn_", "secret_"),
    _tokens("sentry-token", "[A-Za-z0-9_+/=-]{40,}+", "sntrys_", "sntryu_"),
    _tokens("sonar-token", HEX + "{40}", "sqp_", "sqa_", "squ_"),
)

CLOUDS = (
    # docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    _tokens("aws-access-key", "[A-Z2-7]{16}(?![A-Za-z0-9])", "AKIA", "ASIA", "ABIA", "ACCA"),
    # cloud.google.com/docs/authentication: API keys, OAuth tokens and client secrets
    _tokens("google-api-key", URL64 + "{35,}+", "AIza"),
    SecretRule("google-oauth-token", r"ya29\.[A-Za-z0-9_.-]{20,}+", starts=("ya29.",)),
    _tokens("google-client-secret", URL64 + "{24,}+", "GOCSPX-"),
    # learn.microsoft.com: client secrets of Entra, and keys of storage accounts
    SecretRule("azure-client-secret", EDGE + r"[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{31,40}+", starts=("7Q~", "8Q~")),
    SecretRule(
        "azure-account-key",
        r"(?i:key)=(?:(?<=AccountKey=)|(?<=SharedAccessKey=))(?P<secret>[A-Za-z0-9+/]{40,}+={0,2})",
        words=("key",),
    ),
    # docs.digitalocean.com, developers.cloudflare.com, devcenter.heroku.com, fly.io/docs, developer.hashicorp.com
    _tokens("digitalocean-token", HEX + "{64}", "dop_v1_", "doo_v1_", "dor_v1_"),
    _tokens("cloudflare-ca-key", "[a-f0-9]{24}-[a-f0-9]{100,}+", "v1.0-"),
    _tokens("heroku-api-key", URL64 + "{58,}+", "HRKU-"),
    _tokens("fly-token", "[A-Za-z0-9_+/=,-]{40,}+", "fm1r_", "fm2_", "fm1a_", "fo1_"),
    SecretRule("vault-token", EDGE + r"hv[sbr]\.[A-Za-z0-9_-]{24,}+", starts=("hvs.", "hvb.", "hvr.")),
    SecretRule("terraform-token", EDGE + r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}+", starts=(".atlasv1.",)),
    _tokens("pulumi-token", HEX + "{40}", "pul-"),
    _tokens("tailscale-key", "(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,}+-[A-Za-z0-9]{16,}+", "tskey-"),
    _tokens("databricks-token", HEX + "{32}(?:-[0-9])?", "dapi"),
    _tokens("supabase-key", "[A-Za-z0-9_]{22,}+", "sbp_", "sb_secret_"),
    _tokens("planetscale-token", "[A-Za-z0-9_=.-]{32,}+", "pscale_tkn_", "pscale_pw_", "pscale_oauth_"),
    _tokens("doppler-token", WORD + "{40,}+", "dp.pt.", "dp.sa."),
    _tokens("alibaba-access-key", WORD + "{20,}+", "LTAI"),
    # grafana.com/docs, docs.newrelic.com, docs.honeycomb.io, docs.dynatrace.com
    _tokens("grafana-token", "[A-Za-z0-9_+/=-]{32,}+", "glc_", "glsa_"),
    _tokens("newrelic-key", "[A-Z0-9]{27,}+", "NRAK-"),
    _tokens("honeycomb-key", "[a-z0-9]{58,}+", "hcaik_", "hcamk_", "hcbik_"),
    SecretRule(
        "dynatrace-token",
        r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
        starts=("dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."),
    ),
)

PEOPLE = (
    # api.slack.com/authentication/token-types
    _tokens(
        "slack-token", "[A-Za-z0-9-]{20,}+", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxc-", "xoxd-"
    ),
    _tokens("slack-app-token", "[A-Za-z0-9-]{20,}+", "xapp-"),
    SecretRule(
        "slack-webhook",
        r"://hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,}+)",
        words=("://",),
    ),
    # discord.com/developers/docs, core.telegram.org/bots
    SecretRule(
        "discord-webhook", r"://[a-z.]{1,40}/api/webhooks/\d{17,20}/(?P<secret>[A-Za-z0-9_-]{60,}+)", words=("://",)
    ),
    SecretRule(
        "discord-token",
        r"[MNO](?:(?<![A-Za-z0-9_-].)|(?<=\\[nrt].))[A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}+",
        starts=("M", "N", "O"),
        entropy=3.5,
    ),
    SecretRule("telegram-bot-token", r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33,}+", starts=("AA",), entropy=3.5),
    # stripe.com/docs/keys, developer.squareup.com, developer.paypal.com, shopify.dev
    _tokens("stripe-key", WORD + "{20,}+", "sk_live_", "sk_test_", "rk_live_", "rk_test_"),
    _tokens("webhook-secret", "[A-Za-z0-9+/=]{24,}+", "whsec_"),
    _tokens("square-token", URL64 + "{22,}+", "sq0atp-", "sq0csp-", "EAAAE"),
    _tokens("braintree-token", r"[a-z0-9]{16}\$[a-f0-9]{32}", "access_token$production$"),
    _tokens("shopify-token", "[A-Fa-f0-9]{32}", "shpat_", "shpca_", "shppa_", "shpss_"),
    # twilio.com/docs, docs.sendgrid.com, documentation.mailgun.com, developers.brevo.com, resend.com
    _tokens("twilio-key", HEX + "{32}(?![A-Za-z0-9])", "SK"),
    SecretRule("sendgrid-key", EDGE + r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,}+", starts=("SG.",), entropy=3.5),
    _tokens("mailgun-key", HEX + "{32}", "key-"),
    _tokens("brevo-key", "[A-Za-z0-9-]{60,}+", "xkeysib-", "xsmtpsib-"),
    _tokens("resend-key", "[A-Za-z0-9_]{24,}+", "re_", entropy=3.8),
    _tokens("typeform-token", "[A-Za-z0-9_.=-]{40,}+", "tfp_"),
    _tokens("airtable-token", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}", "pat"),
    _tokens("facebook-token", WORD + "{80,}+", "EAA"),
    # 1password.com: service accounts and secret keys
    _tokens("onepassword-token", "[A-Za-z0-9+/=_-]{100,}+", "ops_eyJ"),
)

# RFC 7519, RFC 6750, RFC 7617, RFC 3986
OPEN = (
    SecretRule(
        "jwt",
        r"eyJ(?:(?<![\w-]eyJ)|(?<=\\[nrt]eyJ))[A-Za-z0-9_-]{10,}+\.eyJ[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{16,}+",
        starts=("eyJ",),
    ),
    SecretRule(
        "authorization",
        r"(?i:bearer|basic) (?P<secret>[A-Za-z0-9._~+/-]{16,}+=*+)",
        starts=("Bearer ", "bearer ", "BEARER ", "Basic ", "basic "),
        entropy=3.2,
    ),
    SecretRule(
        "password-in-url",
        r"://[^\s/:@\"'`<>{}$]{0,64}:(?P<secret>[^\s/@\"'`<>{}$«]{3,128})@",
        words=("://",),
    ),
)

WORDS = ("pass", "pwd", "secret", "token", "key")
KEYS_OF = ("api", "access", "private", "auth", "account", "signing", "encryption", "secret", "master")
NAME = (
    "(?i:passwo?r?d|passphrase|pwd|secret|token|key(?:"
    + "|".join(f"(?<={of}{joint}key)" for of in KEYS_OF for joint in ("", "_", "-"))
    + "))"
)
ASSIGNED = r"""["'\\\]]{0,5}[ \t]{0,4}(?:=>|:=|==?|:)[ \t]{0,4}(?:[A-Za-z]{0,2}[\\"'`]{1,4})?"""
OF_PROGRAM = r"(?![A-Za-z_][\w]*(?:\.|->|::)[A-Za-z_])(?![\d.:+-]+(?![\w]))(?!https?:|/|\./)"
VALUE = (
    r"""(?P<secret>(?=[^\s"'`\\,;<>«(){}\[\]]{0,60}?[0-9!@#%^&*+=~?])"""
    r"""[^\s"'`\\,;<>«(){}\[\]$]{8,128}+)(?![(\[])"""
)

# Most names are not assigned anything; to look for that first is fast.
BEFORE_ASSIGNED = r"""(?=[\w-]{3,28}+["'\\\]]{0,5}+[ \t]{0,4}+[=:])"""

NAMED = (
    SecretRule(
        "secret", rf"{BEFORE_ASSIGNED}{NAME}[\w-]{{0,16}}{ASSIGNED}{OF_PROGRAM}{VALUE}", words=WORDS, entropy=2.7
    ),
    # As an option: --token x, --api-key x
    SecretRule("secret", rf"(?<=-){NAME} ['\"]?{OF_PROGRAM}{VALUE}", words=WORDS, entropy=2.7),
)

RULES = (*KEYS, *MODELS, *CODE, *CLOUDS, *PEOPLE, *OPEN, *NAMED)
