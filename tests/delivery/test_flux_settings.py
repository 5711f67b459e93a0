"""What `delivery.flux` may ask for beyond a branch of a Git repository: each setting reaches its field and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.delivery.crds import problems
from tests.objects import Object, Tree, assert_built_is_shown, build_all, mesh, of_kind, overlay, render_config, text_of

GIT = "https://example.com/mesh.git"
OCI = "oci://registry.example.com/mesh"
COMMIT, DIGEST = "0123456789abcdef" * 2 + "01234567", "sha256:" + "0" * 64
EVERY_KEY: Object = {
    "provider": "azure",
    "serviceAccountName": "mesh-deployer",
    "shard": "shard1",
    "decryption": {"secretRef": "sops-age"},
    "postBuild": {
        "substitute": {"region": "koreacentral", "gone": None},
        "substituteFrom": {"vars": {}, "more": {"kind": "Secret", "optional": True}},
    },
    "alerts": {
        "ops": {"type": "slack", "channel": "mesh", "secretRef": "slack", "severity": "info"},
        "hook": {"address": "https://hooks.example.com/mesh"},
    },
    "selfManaged": True,
}
IDENTITIES = {"ci": {"issuer": "^https://issuer$", "subject": "^https://example[.]com/mesh$"}, "gone": None}


def wired(folder: Path, kubectl: Path, flux: Object, **keys: Any) -> list[Object]:
    tree = render_config(folder, mesh(addons={"kiali": {}}, delivery={"flux": flux}, **keys))
    directory = tree.output / tree.cluster("msa")["wiring"]["flux"]
    return list(build_all(kubectl, [directory])[directory].values())


def stage(objects: list[Object], name: str = "istio") -> Object:
    return of_kind(objects, "Kustomization")[f"msa-{name}"]


@pytest.mark.upstream
@pytest.mark.parametrize(
    "flux",
    [
        {"url": GIT, "ref": {"semver": ">=1.0.0"}, "verify": {"mode": "TagAndHEAD", "secretRef": "keys"}, **EVERY_KEY},
        {"url": GIT, "ref": {"commit": COMMIT}, "verify": {"secretRef": "keys"}},
        {"url": OCI, **EVERY_KEY},
        {"url": OCI, "ref": {"digest": DIGEST}, "verify": {"provider": "notation", "secretRef": "keys"}},
        {"url": OCI, "ref": {"tag": "v1"}, "verify": {"identities": IDENTITIES}},
    ],
)
def test_flux_accepts_it(cases: Path, kubectl: Path, tmp_path: Path, flux: Object):
    objects = wired(tmp_path, kubectl, flux)

    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


@pytest.mark.parametrize(
    ("flux", "kind", "ref"),
    [
        ({"url": GIT}, "GitRepository", {"branch": "main"}),
        ({"url": GIT, "branch": "a"}, "GitRepository", {"branch": "a"}),
        ({"url": GIT, "branch": "a", "ref": {"tag": "v1"}}, "GitRepository", {"tag": "v1"}),
        ({"url": GIT, "ref": {"semver": "1.x"}}, "GitRepository", {"semver": "1.x"}),
        ({"url": GIT, "ref": {"commit": COMMIT}}, "GitRepository", {"commit": COMMIT}),
        ({"url": OCI}, "OCIRepository", {"tag": "latest"}),
        ({"url": OCI, "ref": {"tag": "v1", "semver": None}}, "OCIRepository", {"tag": "v1"}),
        ({"url": OCI, "ref": {"digest": DIGEST}}, "OCIRepository", {"digest": DIGEST}),
    ],
)
def test_the_url_decides_the_kind_of_the_source(kubectl: Path, tmp_path: Path, flux: Object, kind: str, ref: Object):
    objects = wired(tmp_path, kubectl, flux)
    (source,) = of_kind(objects, kind).values()

    assert source["spec"]["ref"] == ref
    assert source["spec"]["url"] == flux["url"]
    refs = [obj["spec"]["sourceRef"] for obj in of_kind(objects, "Kustomization").values()]
    assert refs == [{"kind": kind, "name": "msa"}] * len(refs)


@pytest.mark.parametrize(
    ("flux", "verify"),
    [
        ({"url": GIT, "verify": {"secretRef": "keys"}}, {"mode": "HEAD", "secretRef": {"name": "keys"}}),
        (
            {"url": GIT, "ref": {"tag": "v1"}, "verify": {"mode": "Tag", "secretRef": "k"}},
            {"mode": "Tag", "secretRef": {"name": "k"}},
        ),
        ({"url": OCI, "verify": {"secretRef": "k"}}, {"provider": "cosign", "secretRef": {"name": "k"}}),
        (
            {"url": OCI, "verify": {"identities": IDENTITIES}},
            {"provider": "cosign", "matchOIDCIdentity": [IDENTITIES["ci"]]},
        ),
    ],
)
def test_signatures_are_asked_for(kubectl: Path, tmp_path: Path, flux: Object, verify: Object):
    objects = wired(tmp_path, kubectl, flux)

    (source,) = [obj for obj in objects if obj["kind"].endswith("Repository")]
    assert source["spec"]["verify"] == verify


def test_every_stage_is_applied_with_the_rights_and_the_values_that_are_given(kubectl: Path, tmp_path: Path):
    objects = wired(tmp_path, kubectl, {"url": GIT, **EVERY_KEY})

    for name in ("namespaces", "operator", "istio", "addons"):
        one = stage(objects, name)
        assert one["metadata"]["labels"] == {"sharding.fluxcd.io/key": "shard1"}
        assert one["spec"]["serviceAccountName"] == "mesh-deployer"
        assert one["spec"]["decryption"] == {"provider": "sops", "secretRef": {"name": "sops-age"}}
        assert one["spec"]["postBuild"] == {
            "substitute": {"region": "koreacentral"},
            "substituteFrom": [
                {"kind": "ConfigMap", "name": "vars"},
                {"kind": "Secret", "name": "more", "optional": True},
            ],
        }


def test_flux_does_nothing_with_more_rights_than_the_account_has(kubectl: Path, tmp_path: Path):
    """Its own the root would have too, and helm-controller for what installs Istio."""
    flux = {"url": GIT, "serviceAccountName": "mesh-deployer"}
    tree = render_config(tmp_path, mesh(istio={"version": "1.30.3"}, delivery={"flux": flux}))
    built = build_all(kubectl, tree.directories())
    objects = {key: obj for found in built.values() for key, obj in found.items()}.values()
    bound = [obj for obj in objects if obj["kind"] in ("Kustomization", "HelmRelease")]

    assert {"msa", "msa-istio", "istiod"} <= {obj["metadata"]["name"] for obj in bound}
    assert {obj["spec"].get("serviceAccountName") for obj in bound} == {"mesh-deployer"}


def test_no_alert_watches_a_root_that_is_not_there(kubectl: Path, tmp_path: Path):
    objects = wired(tmp_path, kubectl, {"url": GIT, **EVERY_KEY, "selfManaged": False})

    for alert in of_kind(objects, "Alert").values():
        assert {"kind": "Kustomization", "name": "msa"} not in alert["spec"]["eventSources"]


def test_a_decryption_without_a_secret_asks_a_cloud(kubectl: Path, tmp_path: Path):
    one = stage(wired(tmp_path, kubectl, {"url": GIT, "decryption": {}}))

    assert one["spec"]["decryption"] == {"provider": "sops"}


def test_alerts_tell_of_this_wiring_only(kubectl: Path, tmp_path: Path):
    objects = wired(tmp_path, kubectl, {"url": GIT, **EVERY_KEY})
    providers, alerts = of_kind(objects, "Provider"), of_kind(objects, "Alert")

    assert providers["msa-ops"]["spec"] == {"type": "slack", "channel": "mesh", "secretRef": {"name": "slack"}}
    assert providers["msa-hook"]["spec"] == {"type": "generic", "address": "https://hooks.example.com/mesh"}
    assert (alerts["msa-ops"]["spec"]["eventSeverity"], alerts["msa-hook"]["spec"]["eventSeverity"]) == (
        "info",
        "error",
    )
    for alert in alerts.values():
        assert alert["spec"]["providerRef"] == {"name": alert["metadata"]["name"]}
        assert alert["spec"]["eventSources"] == [
            {"kind": "GitRepository", "name": "msa"},
            {"kind": "Kustomization", "name": "msa"},
            *(
                {"kind": "Kustomization", "name": f"msa-{name}"}
                for name in ("namespaces", "operator", "istio", "addons")
            ),
        ]


def test_the_wiring_applies_itself_and_keeps_what_it_needs_to_go_on(kubectl: Path, tmp_path: Path):
    made = wired(tmp_path, kubectl, {"url": GIT, "path": "tree"})
    root, source = of_kind(made, "Kustomization")["msa"], of_kind(made, "GitRepository")["msa"]

    assert root["spec"]["path"] == "./tree/clusters/msa/flux"
    assert root["spec"]["prune"] is True
    assert "dependsOn" not in root["spec"]
    kept = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
    assert [one["metadata"].get("annotations") for one in (root, source)] == [kept, kept]
    assert all(
        "annotations" not in one["metadata"] for name, one in of_kind(made, "Kustomization").items() if name != "msa"
    )


@pytest.mark.parametrize(("keys", "prunes"), [({"selfManaged": False}, None), ({"prune": False}, False)])
def test_the_wiring_does_neither_where_it_is_told_not_to(
    kubectl: Path, tmp_path: Path, keys: Object, prunes: bool | None
):
    root = of_kind(wired(tmp_path, kubectl, {"url": GIT, **keys}), "Kustomization").get("msa")

    assert (root and root["spec"]["prune"]) is prunes


OWN: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "mine", "namespace": "shop"},
    "data": {"a": "${region}"},
}
MARK = "kustomize.toolkit.fluxcd.io/substitute"


def marked(kubectl: Path, tree: Tree) -> dict[str, bool]:
    """Whether each object that holds `${` is one that Flux leaves alone, by name."""
    objects = [obj for found in assert_built_is_shown(kubectl, tree).values() for obj in found]
    return {
        obj["metadata"]["name"]: (obj["metadata"].get("annotations") or {}).get(MARK) == "disabled"
        for obj in objects
        if "${" in text_of(obj) or MARK in text_of(obj)
    }


# An access log in the manner of a shell: nobody means a variable of Flux's.
LOGGED: Object = {"version": "1.11.3", "meshConfig": {"accessLogFormat": "${method} ${path}"}}


@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
def test_what_meshgen_makes_is_kept_from_flux(kubectl: Path, tmp_path: Path, version: str):
    (tmp_path / "own.yaml").write_text(text_of(OWN))
    flux = {"url": GIT, "postBuild": {"substitute": {"region": "koreacentral"}}}
    keys = {"istio": {**LOGGED, "version": version}, "addons": {"grafana": {}}, "delivery": {"flux": flux}}
    config = mesh(resources={"own": {"path": "own.yaml"}}, **keys)
    tree = render_config(tmp_path, config, overlay("dev", clusters={"a": None, "b": {"cloud": "aws"}}))

    found = marked(kubectl, tree)

    assert found.pop("mine") is False
    assert {"msa" if version == "1.11.3" else "istiod", "grafana-dashboard-mesh"} <= set(found)
    assert all(found.values())


def test_nothing_is_marked_for_a_flux_that_replaces_nothing(kubectl: Path, tmp_path: Path):
    flux = {"url": GIT, "postBuild": {"substitute": {"gone": None}}}
    tree = render_config(tmp_path, mesh(istio=LOGGED, delivery={"flux": flux}))

    assert marked(kubectl, tree) == {"msa": False}
