"""What istiod changes at run time is no drift, for every Istio, engine and way to install; all else is."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from meshgen.catalog import minors, release
from meshgen.catalog.sail import served_of_minor
from tests.objects import Object, Tree, mesh, of_kind, overlay, read_yaml, render_config, shown
from tests.tools import istio_charts

URL = "https://example.com/mesh.git"
VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
CA, POLICY = ".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy"

# Settings that change the names, by what they are called.
SETTINGS: dict[str, Object] = {
    "plain": {},
    "revision": {"revision": "canary"},
    "elsewhere": {"namespace": "mesh-system"},
    "both": {"revision": "1-2-3", "namespace": "mesh-system"},
    "tags": {"revision": "canary", "values": {"revisionTags": ["prod", "stable"]}},
    "tags elsewhere": {"namespace": "mesh-system", "values": {"revisionTags": ["prod"]}},
    "default": {"values": {"defaultRevision": "default"}},
}


def methods(minor: str) -> list[str]:
    """The ways to install that need no tool."""
    number = int(minor.split(".")[1])
    possible = {"operator": number <= 23, "helm": number >= 22, "sail": number >= 24 and bool(served_of_minor(minor))}
    return [method for method, fits in possible.items() if fits]


def version(minor: str, method: str) -> str:
    return served_of_minor(minor)[-1] if method == "sail" else release(minor).latest_patch


# 1.11 has no default validator, and the Sail operator makes revision tags by objects of their own.
_NOT = {("1.11", "operator"): ("default",), "sail": ("tags", "tags elsewhere")}
TABLE = [
    (minor, method, name)
    for minor in minors()
    for method in methods(minor)
    for name in SETTINGS
    if name not in _NOT.get((minor, method), _NOT.get(method, ()))
]


def names(minor: str, method: str, settings: Object) -> dict[tuple[str, str], set[str]]:
    """The configurations that istiod writes to, by kind and name, and in which Applications they are.

    As Istio's documents call them: `istio-validator[-REVISION]-NAMESPACE`, `istio-sidecar-injector[-REVISION]` and
    `istio-revision-tag-TAG`, these two with a namespace that is not istio-system behind.
    """
    revision, home = settings.get("revision"), settings.get("namespace", "istio-system")
    values = settings.get("values", {})
    mark, behind = f"-{revision}" if revision else "", "" if home == "istio-system" else f"-{home}"
    own = {f"istiod{mark}" if method == "helm" else "istio"}
    found = {
        (VALIDATING, f"istio-validator{mark}-{home}"): own,
        (MUTATING, f"istio-sidecar-injector{mark}{behind}"): own,
    }
    found |= {(MUTATING, f"istio-revision-tag-{tag}{behind}"): own for tag in values.get("revisionTags", [])}
    if method == "helm" and values.get("defaultRevision"):
        found[VALIDATING, "istiod-default-validator"] = {"istio-base"}
    if method != "helm" and minor != "1.11":
        found[VALIDATING, "istiod-default-validator"] = own
    return found


def rendered(folder: Path, engine: str, rows: list[tuple[str, str, str]]) -> Tree:
    """A mesh with a cluster for each row of the table."""
    clusters = {
        f"c{number}": {
            "server": f"https://c{number}.example.com",
            "patch": {"istio": {**SETTINGS[name], "version": version(minor, method), "install": method}},
        }
        for number, (minor, method, name) in enumerate(rows)
    }
    return render_config(folder, mesh(istio={}, delivery={engine: {"url": URL}}), overlay("all", clusters=clusters))


def test_argo_cd_passes_over_exactly_what_istiod_writes(kubectl: Path, tmp_path: Path):
    tree = rendered(tmp_path, "argocd", TABLE)
    for number, (minor, method, name) in enumerate(TABLE):
        text = (tree.output / f"clusters/c{number}/argocd/applications.yaml").read_text()
        passed: dict[tuple[str, str], set[str]] = {}
        for app in read_yaml(text):
            for rule in app["spec"].get("ignoreDifferences", []):
                assert set(rule) == {"group", "kind", "name", "jqPathExpressions"}
                assert rule["group"] == "admissionregistration.k8s.io"
                assert rule["jqPathExpressions"] == ([CA, POLICY] if rule["kind"] == VALIDATING else [CA])
                key = (rule["kind"], rule["name"])
                passed.setdefault(key, set()).add(app["metadata"]["name"].removeprefix(f"msa-c{number}-"))
            assert "RespectIgnoreDifferences=true" in app["spec"]["syncPolicy"]["syncOptions"]

        assert passed == names(minor, method, SETTINGS[name]), f"{minor} by {method}, {name}"


def test_flux_passes_over_exactly_what_istiod_writes(tmp_path: Path):
    # By the operator and by Sail, Flux applies no webhook itself.
    rows = [row for row in TABLE if row[1] == "helm"]
    tree = rendered(tmp_path, "flux", rows)
    releases: dict[str, dict[str, Object]] = {}
    for entry in shown(tree.folder, "HelmRelease"):
        releases.setdefault(entry["cluster"], {})[entry["object"]["metadata"]["name"]] = entry["object"]["spec"]

    for number, (minor, method, name) in enumerate(rows):
        wanted: dict[str, set[str]] = {}
        for (kind, _), homes in names(minor, method, SETTINGS[name]).items():
            for home in homes:
                wanted.setdefault(home, set()).add(kind)
        passed = {}
        for found, spec in releases[f"c{number}"].items():
            assert spec["driftDetection"]["mode"] == "enabled"
            rules = [rule for rule in spec["driftDetection"].get("ignore", []) if rule["paths"] != ["/spec/replicas"]]
            for rule in rules:
                kind = rule["target"]["kind"]
                fields = {path.split("/", 3)[3] for path in rule["paths"]}
                assert fields == (
                    {"clientConfig/caBundle", "failurePolicy"} if kind == VALIDATING else {"clientConfig/caBundle"}
                )
            if rules:
                passed[found] = {one["target"]["kind"] for one in rules}
        assert passed == wanted, f"{minor} by {method}, {name}"


FOLDERS = {"base": "base", "istiod": "istio-control/istio-discovery", "cni": "istio-cni", "ztunnel": "ztunnel"}


@pytest.mark.realtools
@pytest.mark.parametrize(("name", "profile"), list(product(SETTINGS, ["default", "ambient"])))
def test_they_are_the_webhooks_that_the_charts_have(helm: Path, tmp_path: Path, name: str, profile: str):
    istio = {"version": release(minors()[-1]).latest_patch, "profile": profile, **SETTINGS[name]}
    config = mesh(istio=istio, delivery={"argocd": {"url": URL}, "flux": {"url": URL}})
    tree = render_config(tmp_path, config, overlay("dev", clusters={"a": {"server": "https://a.example.com"}}))
    flux = of_kind([entry["object"] for entry in shown(tree.folder, "HelmRelease")], "HelmRelease")

    for app in read_yaml((tree.output / "clusters/a/argocd/applications.yaml").read_text()):
        chart = next((one for one in app["spec"].get("sources", []) if one.get("chart") in FOLDERS), None)
        if chart is None:
            assert "ignoreDifferences" not in app["spec"]
            continue
        webhooks = made(helm, tree, app, chart)
        rules = app["spec"].get("ignoreDifferences", [])
        assert {(rule["kind"], rule["name"]) for rule in rules} == {(kind, one) for kind, one, _ in webhooks}
        spec = flux[chart["helm"]["releaseName"]]["spec"]["driftDetection"]
        paths = {rule["target"]["kind"]: rule["paths"] for rule in spec.get("ignore", [])}
        for kind, _, count in webhooks:
            assert {f"/webhooks/{index}/clientConfig/caBundle" for index in range(count)} <= set(paths[kind])


def made(helm: Path, tree: Tree, app: Object, chart: Object) -> list[tuple[str, str, int]]:
    """(kind, name, webhooks) of each configuration that the real chart renders with the values of the tree."""
    (values,) = chart["helm"]["valueFiles"]
    done = subprocess.run(
        [
            *(helm, "template", chart["helm"]["releaseName"], istio_charts() / FOLDERS[chart["chart"]]),
            *("--namespace", app["spec"]["destination"]["namespace"], "--skip-schema-validation"),
            *("--values", tree.folder / values.removeprefix("$values/")),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    objects: list[Any] = [obj for obj in read_yaml(done.stdout) if obj]
    return [
        (obj["kind"], obj["metadata"]["name"], len(obj["webhooks"]))
        for obj in objects
        if obj["kind"] in (VALIDATING, MUTATING)
    ]
