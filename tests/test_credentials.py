"""Credentials: what a name gives away in each place that asks, what stands for one, and which are told or hidden."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.credentials import (
    HIDDEN_IN_DIFF,
    HIDDEN_IN_EXPLANATION,
    HIDDEN_IN_IMPORT,
    NAMES_CREDENTIAL,
    TAKES_CREDENTIAL,
    arguments,
    looks_secret,
    secret_lines,
)
from meshgen.credentialshapes import is_placeholder
from meshgen.diff.written import field_lines
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.difference import differences
from meshgen.policy import policy_remarks
from meshgen.provenance.edits import at_path
from meshgen.provenance.secrecy import HIDDEN, of_object, of_setting
from meshgen.redaction import redacted
from meshgen.render import build_mesh
from tests.diff.repositories import changed
from tests.objects import Object, mesh, write_config
from tests.policy.subjects import subject

WIDTHS = {
    "chart": TAKES_CREDENTIAL,
    "name": NAMES_CREDENTIAL,
    "diff": re.compile(rf"{HIDDEN_IN_DIFF}$", re.I),
    "explanation": HIDDEN_IN_EXPLANATION,
    "import": HIDDEN_IN_IMPORT,
}
TOKEN = "ghp_" + "a1B2c3D4" * 5
JWT = "eyJhbGciOiJIUzI1NiJ9abc.eyJzdWIiOiIxMjM0NTY3ODkw.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9Pl"


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("adminPassword", "chart name diff explanation import"),
        ("signing_key", "chart name diff explanation import"),
        ("apiKey", "chart name diff explanation import"),
        ("accessKey", "name diff explanation import"),
        ("privateKey", "name diff explanation import"),
        ("clientSecret", "chart name diff explanation import"),
        ("secret", "name explanation import"),
        ("token", "chart name diff explanation import"),
        ("automountServiceAccountToken", "chart name explanation import"),
        ("credentials", "name diff explanation import"),
        ("bearer", "diff explanation"),
        ("secretName", "import"),
        ("certificate", "import"),
        ("key", "import"),
        ("bypass", "import"),
        ("compass", "import"),
        ("passthrough", "import"),
        ("DB_PASS", "name diff explanation import"),
        ("dbPass", "name diff explanation import"),
        ("mysql.dbpass", "name diff explanation import"),
        ("pwd", "name diff explanation import"),
        ("replicas", ""),
        ("host", ""),
    ],
)
def test_each_place_asks_with_its_own_width(name: str, widths: str):
    assert " ".join(width for width, regex in WIDTHS.items() if regex.search(name)) == widths


@pytest.mark.parametrize(
    ("value", "stands_for_one"),
    [
        ("", True),
        ("  ", True),
        ("CHANGEME", True),
        ("change-me", True),
        ("changeme, please", False),
        ("replace_me-with-yours", True),
        ("${PASSWORD}", True),
        ("$(PASSWORD)", True),
        ("{{ .password }}", True),
        ("<password>", True),
        ("your-password", True),
        ("xxxxxxxx", True),
        ("********", True),
        ("ENC[AES256_GCM,data:AAAA,iv:QUFB,tag:QkJC,type:str]", True),
        ("changed", False),
        ("a<b>c", False),
        ("hunter2", False),
        ("password", False),
        ("vault:secret/data/grafana#password", True),
        (">>vault:secret/data/grafana#password", True),
        ("ref+awssecretsmanager://shop/db#/password", True),
        ("op://shop/db/password", True),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1B2c3", True),
        ("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/db", True),
        ("gcp:secretmanager:projects/shop/secrets/db-a1B2c3", True),
        ("vaulted-Xk9", False),
        ("arn:aws:iam::123456789012:role/x", False),
    ],
)
def test_what_stands_for_a_credential_is_none(value: str, stands_for_one: bool):
    assert is_placeholder(value) is stands_for_one


def findings(folder: Path, **config: object) -> list[Finding]:
    """What is said of credentials in a config."""
    path = write_config(folder, mesh(**config))
    try:
        found = build_mesh(path).findings
    except InputError as error:
        found = tuple(error.findings)
    return [one for one in found if one.rule == "MG537"]


def kiali(**values: object) -> Object:
    return {"addons": {"kiali": {"source": "helm", "values": values}}}


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (kiali(auth={"password": "hunter2"}), "/addons/kiali/values/auth/password"),
        (kiali(env=[{"name": "API_TOKEN", "value": "xK9-mPq4vR7z"}]), "/addons/kiali/values/env/0/value"),
        (kiali(args=["--verbose", TOKEN]), "/addons/kiali/values/args/1"),
        (kiali(anything=TOKEN), "/addons/kiali/values/anything"),
        (
            {"istio": {"version": "1.11.3", "values": {"pilot": {"env": {"API_KEY": "xK9-mPq4vR7z"}}}}},
            "/istio/values/pilot/env/API_KEY",
        ),
        (
            {"istio": {"version": "1.11.3", "meshConfig": {"defaultConfig": {"proxyMetadata": {"A": JWT}}}}},
            "/istio/meshConfig/defaultConfig/proxyMetadata/A",
        ),
        (
            {"addons": {"kiali": {}}, "expose": {"kiali": {"annotations": {"example.com/token": "xK9-mPq4vR7z"}}}},
            "/expose/kiali/annotations/example.com~1token",
        ),
    ],
)
def test_a_credential_in_the_config_is_an_error_without_its_value(tmp_path: Path, config: Object, path: str):
    (finding,) = (one for one in findings(tmp_path, **config) if one.path == path)

    assert finding.severity == "error"
    said = f"{finding.message}{finding.hint}"
    assert not any(value in said for value in ("hunter2", "xK9", TOKEN, JWT))


@pytest.mark.parametrize(
    "config",
    [
        kiali(auth={"password": "CHANGEME"}),
        kiali(auth={"password": "${PASSWORD}", "token": ""}),
        kiali(deployment={"secretName": "kiali-tls-4f9a2b7c"}, auth={"tokenRef": "kiali-4f9a2b7c"}),
        {"addons": {"kiali": {"secret": "kiali-4f9a2b7c1d"}}},
        {"policy": {"suppress": {"a": {"rule": "MG503", "reason": f"not {TOKEN}"}}}},
    ],
)
def test_placeholders_and_names_of_secrets_are_no_credentials(tmp_path: Path, config: Object):
    assert findings(tmp_path, **config) == []


def test_a_credential_may_be_suppressed_with_a_reason(tmp_path: Path):
    suppress = {"demo": {"rule": "MG537", "reason": "it is the password of a demo"}}

    assert findings(tmp_path, **kiali(auth={"password": "hunter2"}), policy={"suppress": suppress}) == []


@pytest.mark.parametrize("token", [TOKEN, JWT, "AKIAIOSFODNN7EXAMPLE"])
def test_a_token_is_hidden_whatever_it_is_called(token: str):
    (difference,) = differences("Deployment/a", {"x": token}, {"x": "other"})

    assert token not in redacted(f"x y {token} z")
    assert of_object({"kind": "Deployment"}, ("spec", "x"), {"a": [token]}) == {"a": [HIDDEN]}
    assert of_setting({}, ("istio", "values", "x"), token) == HIDDEN
    assert token not in difference.read
    assert "other" not in difference.rendered


PASSWORD = "xK9-mPq4vR7z"
LOGIN = b64encode(f"me:{PASSWORD}".encode()).decode()
SIGNED = f"https://x.blob.example.com/?sv=2022&sig={PASSWORD}%3D"
SLACK = "https://hooks.slack.com/services/T00000000/B00000000/xK9mPq4vR7z"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (SIGNED, True),
        ("https://x.blob.example.com/?sv=2022&sig=${SIGNATURE}", False),
        ("https://example.com/?design=xK9-mPq4vR7z&page_token_count=xK9-mPq4vR7z", False),
        (SLACK, True),
        ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", False),
        ("https://hooks.slack.com/services/your/webhook/url", False),
        ("https://discord.com/api/webhooks/123456789012345678/xK9mPq4vR7zxK9mPq4vR7z", True),
        ("https://canary.discordapp.com/api/v10/webhooks/1/xK9mPq4vR7zxK9mPq4vR7z", True),
        ("https://hooks.slack-gov.com/services/T00000000/B00000000/xK9mPq4vR7z", True),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/6bff1ab5-2e3d-4c5e-9f0a", True),
        ("Server=db;User Id=sa;Password=hunter2", True),
        ("AccountName=shop;AccountKey=xK9mPq4vR7zxK9mPq4vR7z==;EndpointSuffix=core.windows.net", True),
        ("Server=db;User Id=sa;Password=${PASSWORD}", False),
        ("Server=db;Trusted_Connection=true;PasswordFile=/etc/db", False),
        ("host=db; pwd=getpwd()", False),
        ("redis://:hunter2@cache:6379", True),
        ("https://example.com:8080/@scope", False),
        (f"root:{PASSWORD}@tcp(db:3306)/shop", True),
        ("root:${PASSWORD}@tcp(db:3306)/shop", False),
        ("%s:%s@tcp(%s)/shop", False),
        (f'a.PlainLoginModule required username="me" password="{PASSWORD}";', True),
        ('a.PlainLoginModule required username="me" password="${PASSWORD}";', False),
        (f"machine x login me password {PASSWORD}", True),
        ("machine x login me password $PASSWORD", False),
        (f"Authorization: Basic {LOGIN}", True),
        ("Authorization: Basic authentication of clients", False),
        (f"Authorization: Bearer {PASSWORD}{PASSWORD}", True),
        ('www-authenticate: Bearer realm="https://example.com/token"', False),
        ("https://a1b2c3d4e5f60718293a4b5c6d7e8f90@o1.ingest.sentry.io/1", False),
    ],
)
def test_a_url_or_a_connection_string_gives_its_credential_away(value: str, told: bool):
    assert looks_secret("x", value) is told


def test_all_credentials_of_a_text_are_named():
    text = f"a: b\nDB_PASS={PASSWORD}\npwd: {PASSWORD}\n# see {SLACK} for it\nbypass: {PASSWORD}\n"

    assert secret_lines(text) == ("DB_PASS", "pwd", "a key, token or password")
    assert secret_lines(f"url: {SLACK}\n") == ("url",)
    assert secret_lines("password: op://shop/db/password\n") == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([f"--password={PASSWORD}"], [(0, "password", PASSWORD)]),
        (["--api-key", PASSWORD, "-v"], [(0, "", "--api-key"), (1, "api-key", PASSWORD), (2, "", "-v")]),
        ([f"PASSWORD='{PASSWORD}' run"], [(0, "PASSWORD", PASSWORD), (0, "", "run")]),
        ([1, "--token"], [(1, "", "--token")]),
        (["--token", 1, "x"], [(0, "", "--token"), (2, "", "x")]),
    ],
)
def test_arguments_are_read_by_their_options(given: list[object], said: list[tuple[int, str, str]]):
    assert list(arguments(given)) == said


def workload(**container: object) -> Object:
    spec = {"template": {"spec": {"containers": [{"name": "a", "image": "x:1", **container}]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("container", "told"),
    [
        ({"args": [f"--password={PASSWORD}"]}, "password in args"),
        ({"args": ["--api-key", PASSWORD]}, "api-key in args"),
        ({"command": ["sh", "-c", f"export DB_PASS={PASSWORD} && run"]}, "DB_PASS in command"),
        ({"command": ["curl", SLACK]}, "an argument in command"),
        ({"env": [{"name": "DB_PASS", "value": PASSWORD}]}, "env DB_PASS"),
        ({"env": [{"name": "CONNECTION", "value": f"Server=db;User=sa;Password={PASSWORD}"}]}, "env CONNECTION"),
        ({"env": [{"name": "GRAFANA_ADMIN_PASSWORD", "value": "vault:secret/data/grafana#password"}]}, None),
        (
            {
                "args": [
                    "--api-key",
                    "$(API_KEY)",
                    "--token-file=/var/run/token",
                    "--password",
                    "--verbose-Xk9-mPq4vR7z",
                ]
            },
            None,
        ),
        ({"command": ["sh", "-c", "PASSWORD=$(cat /run/secrets/db-4f9a) PASS=`cat /run/db-4f9a` run"]}, None),
        ({"args": None, "command": [1, None, {"a": "b"}], "env": [None, 1]}, None),
    ],
)
def test_credentials_of_a_pod_are_told_where_they_stand(container: Object, told: str | None):
    some = [one for one in policy_remarks(subject((workload(**container),), {})) if one.rule == "MG536"]

    assert [f"{told} of container a looks like" in one.message for one in some] == [True] * (told is not None)
    assert not any(PASSWORD in one.message for one in some)


SHOWN = [
    ("ConfigMap", ("data", "DB_PASS"), {"data": {"DB_PASS": PASSWORD}}),
    ("ConfigMap", ("data", "pwd"), {"data": {"pwd": PASSWORD}}),
    ("ConfigMap", ("data", "sas"), {"data": {"sas": SIGNED}}),
    ("ConfigMap", ("data", "slack"), {"data": {"slack": "https://hooks.slack.com/services/T/B/" + PASSWORD}}),
    ("ConfigMap", ("data", "x"), {"data": {"x": f"Server=db;Password={PASSWORD}"}}),
    ("ConfigMap", ("data", "x"), {"data": {"x": f"a: b\nDB_PASS: {PASSWORD}\n"}}),
    ("ConfigMap", ("data", "x"), {"data": {"x": f"mysql --password {PASSWORD} -h db"}}),
    ("Odd", ("spec", "args", 0), {"spec": {"args": [f"--password={PASSWORD}"]}}),
    ("Odd", ("spec", "args", 1), {"spec": {"args": ["--api-key", PASSWORD]}}),
    ("Odd", ("spec", "env", 0, "value"), {"spec": {"env": [{"name": "DB_PASS", "value": PASSWORD}]}}),
]


# What a check tells by its shape, and what only a report hides, by a name and how random it is. Each has its secret.
LONG = "xK9mPq4vR7z" * 6
TOLD = [
    TOKEN,
    JWT,
    "AKIAIOSFODNN7EXAMPLE",
    *(f"sk_{mode}_{LONG[:24]}" for mode in ("live", "test")),
    f"rk_live_{LONG[:24]}",
    f"hvs.{LONG[:24]}",
    f"sk-proj-{LONG[:40]}",
    f"AIza{LONG[:35]}",
    f"npm_{LONG[:36]}",
    f"123456789:AA{LONG[:33]}",
    f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={LONG}==;EndpointSuffix=core.windows.net",
    f"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={LONG}=",
    f"postgres://me:{PASSWORD}/1@db/x",
    f"root:{PASSWORD}@tcp(db:3306)/x",
    f'a.PlainLoginModule required username="u" password="{PASSWORD}";',
    f"machine x login u password {PASSWORD}",
    f"Authorization: Basic {LOGIN}",
    f"Authorization: Bearer {LONG}",
    json.dumps({"auths": {"r.example.com": {"auth": LOGIN}}}),
]
NAMED = [
    ("MY_SECRET", PASSWORD),
    ("STRIPE_KEY", PASSWORD),
    ("DD_KEY", "a1b2c3d4e5f60718293a4b5c6d7e8f90"),
    ("DB_CREDS", "u:Hunter2xyz"),
    ("COOKIE_SALT", PASSWORD),
    ("PW", "hunter"),
    ("AccountKey", "Hunter2acct"),
    ("SENTRY_DSN", "https://a1b2c3d4e5f60718293a4b5c6d7e8f90@o1.ingest.sentry.io/1"),
    ("config.json", '{"auths": {"r.example.com": {"auth": "SHVudGVyMg=="}}}'),
]
KEPT = (PASSWORD, LONG[:20], LOGIN, TOKEN, JWT, "AKIAIO", "Hunter2", "hunter", "a1b2c3d4", "SHVu")


def spread(name: str, value: str) -> list[Object]:
    """Objects that say a value by a name, each in another way."""
    said = [{"env": [{"name": name, "value": value}]}, {"args": [f"--{name}={value}"]}, {"args": [f"--{name}", value]}]
    texts = [f"a: b\n{name}: {value}\n", f"a: b\n{name}={value}\nc: d\n"]
    maps = [{name: value}, *({"text": text} for text in texts)]
    return [
        *(workload(**one) for one in said),
        *({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": one} for one in maps),
    ]


@pytest.mark.parametrize("value", TOLD)
def test_what_a_check_tells_no_report_shows(value: str):
    assert looks_secret("x", value)
    assert secret_lines(f"a: b\n{value}\n")
    for obj in spread("x", value):
        assert shown(obj) == []


@pytest.mark.parametrize(("name", "value"), NAMED)
def test_what_its_name_may_make_a_credential_no_report_shows(name: str, value: str):
    for obj in spread(name, value):
        assert shown(obj) == []


@pytest.mark.parametrize("directive", ["requirepass", "  password"])
def test_a_password_without_a_sign_is_hidden(directive: str):
    assert redacted(f"{directive} hunter2") == f"{directive} (secret)"
    assert redacted("password authentication failed") == "password authentication failed"


def shown(obj: Object) -> list[str]:
    """What of the credentials a diff, an explanation and an import show of an object."""
    other = json.loads(json.dumps(obj))
    stem = next(key for key in ("data", "spec") if key in obj)
    other[stem] = {"data": dict.fromkeys(obj.get("data", {}), "a: c\nd: e\n"), "spec": workload()["spec"]}[stem]
    said = [line for one in changed(other, obj).fields for line in field_lines(one)]
    said += [str(of_object(obj, (stem,), obj[stem])), str(list(differences("a", obj, other)))]
    return [secret for secret in KEPT if any(secret in line for line in said)]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["x", "MY_SECRET", "apiKey", "adminPassword", "token", "signing_key", "db.credentials"]),
    st.one_of(
        st.sampled_from(TOLD),
        st.text("abcXYZ0189-_.:/@+!", min_size=8, max_size=40),
    ),
    st.sampled_from(["{}={}", "{}: {}", '"{}": "{}"', "export {}={} && run", "--{} {} -v", "x --{}={}"]),
)
def test_whatever_looks_like_a_credential_is_left_out_of_a_line(name: str, value: str, form: str):
    if looks_secret(name, value) and not value.startswith("-"):
        assert value not in redacted(form.format(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "app.kubernetes.io/name"),
        ("PUBLIC_KEY", "a1b2c3d4e5f60718293a4b5c6d7e8f90"),
        ("TLS_KEY_FILE", "/etc/tls/a1b2c3d4.key"),
        ("CACHE_KEY", "carts-v2"),
        ("secretName", "shop-tls"),
        ("DATASET", "a1b2c3d4e5f60718293a4b5c6d7e8f90"),
    ],
)
def test_names_of_keys_are_neither_told_nor_hidden(name: str, value: str):
    assert not looks_secret(name, value)
    assert redacted(f"{name}: {value}") == f"{name}: {value}"
    (field,) = changed(workload(), workload(env=[{"name": name, "value": value}])).fields
    assert value in str(field.new)


@pytest.mark.parametrize("name", ["DD_KEY", "COOKIE_SALT", "CACHE_KEY"])
def test_a_name_that_many_things_have_is_hidden_without_a_warning(name: str):
    assert not looks_secret(name, PASSWORD)
    assert PASSWORD not in redacted(f"{name}={PASSWORD}")


@pytest.mark.parametrize(("kind", "path", "fields"), SHOWN)
def test_an_explanation_and_a_diff_show_no_credential(kind: str, path: tuple[str | int, ...], fields: Object):
    obj: Object = {"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a"}, **fields}
    for length in range(1, len(path) + 1):
        assert PASSWORD not in str(of_object(obj, path[:length], at_path(obj, path[:length])))

    bare = {key: value for key, value in obj.items() if key not in fields}
    other = json.loads(json.dumps(obj).replace(PASSWORD, "other-4f9a2b7c"))
    for old in (bare, other):
        said = " ".join(line for one in changed(old, obj).fields for line in field_lines(one))
        assert said
        assert PASSWORD not in said


def test_an_explanation_shows_what_is_no_credential():
    obj: Object = {
        "kind": "Odd",
        "spec": {"args": ["--port", "80"], "bypass": "all", "env": [{"name": "A", "value": "b"}]},
    }

    assert of_object(obj, ("spec",), obj["spec"]) == obj["spec"]
    assert of_object(obj, ("spec", "args", 1), "80") == "80"


def test_a_setting_after_its_option_is_kept_back():
    settings: Object = {"addons": {"kiali": {"values": {"args": ["--api-key", PASSWORD]}}}}

    assert of_setting(settings, ("addons", "kiali", "values", "args", 1), PASSWORD) == HIDDEN


def test_a_resource_that_is_called_secrets_is_none():
    assert of_setting({}, ("resources", "secrets"), {"path": "./secrets"}) == {"path": "./secrets"}
    assert of_setting({}, ("istio", "values", "secrets"), {"path": "./x"}) == {"path": HIDDEN}
