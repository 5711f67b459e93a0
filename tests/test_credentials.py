"""Credentials: what a name gives away in each place that asks, what stands for one, and which are told or hidden."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meshgen.credentials import (
    HIDDEN_IN_DIFF,
    HIDDEN_IN_EXPLANATION,
    HIDDEN_IN_IMPORT,
    NAMES_CREDENTIAL,
    TAKES_CREDENTIAL,
    is_placeholder,
)
from meshgen.diff.mask import redacted
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.difference import differences
from meshgen.provenance.secrecy import HIDDEN, of_object, of_setting
from meshgen.render import build_mesh
from tests.objects import Object, mesh, write_config

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
    assert of_object("Deployment", ("spec", "x"), {"a": [token]}) == {"a": [HIDDEN]}
    assert of_setting(("istio", "values", "x"), token) == HIDDEN
    assert token not in difference.read
    assert "other" not in difference.rendered


def test_a_resource_that_is_called_secrets_is_none():
    assert of_setting(("resources", "secrets"), {"path": "./secrets"}) == {"path": "./secrets"}
    assert of_setting(("istio", "values", "secrets"), {"path": "./x"}) == {"path": HIDDEN}
