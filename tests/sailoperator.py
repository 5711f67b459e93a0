"""Plays the Sail operator: from its resources alone to what it gives Helm for each of Istio's charts.

The rules are those of the operator's pkg/istiovalues, pkg/revision and pkg/reconcile at 1.30.3, on a cluster that is no
OpenShift, with no image digests and no defaults of a vendor.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshgen.values import merged
from tests.objects import Object, read_yaml
from tests.tools import istio_charts, tool

HOME = "sail-operator"
CHARTS = {"istiod": "istio-control/istio-discovery", "base": "base", "cni": "istio-cni", "ztunnel": "ztunnel"}
# The operator's own copies of Istio's profiles (resources/v1.30.3/profiles).
DEFAULT = {
    "defaultRevision": "",
    "global": {"istioNamespace": "istio-system", "configValidation": True},
    "ztunnel": {"resourceName": "ztunnel"},
}
PROFILES: dict[str, Object] = {
    "ambient": {"profile": "ambient"},
    "default": {},
    "demo": {"profile": "demo"},
    "empty": {},
    "openshift": {"global": {"platform": "openshift"}},
    "openshift-ambient": {"profile": "ambient", "global": {"platform": "openshift"}},
    "preview": {"profile": "preview"},
    "remote": {"profile": "remote"},
    "stable": {"profile": "stable"},
}


@dataclass(frozen=True)
class Installed:
    """What the operator lets Helm install."""

    chart: str
    name: str
    namespace: str
    values: Object


def installed(resources: Iterable[Object]) -> Iterator[Installed]:
    """The Helm releases that the operator makes of its resources."""
    for resource in resources:
        yield from _MAKERS[resource["kind"]](resource["metadata"]["name"], resource["spec"])


def _istio(name: str, spec: Object) -> Iterator[Installed]:
    values = merged(_profile(spec.get("profile")), spec["values"])
    values["revision"] = "" if name == "default" else name
    values["global"] = {**values["global"], "istioNamespace": spec["namespace"]}
    values.pop("defaultRevision", None)
    # What has no field in the operator's own types does not come out of them.
    values.pop("ztunnel", None)
    yield Installed("istiod", f"{name}-istiod", spec["namespace"], values)
    if name == "default":
        yield Installed("base", f"{name}-base", HOME, values)


def _cni(_: str, spec: Object) -> Iterator[Installed]:
    yield Installed("cni", "istio-cni", spec["namespace"], merged(_profile(spec.get("profile")), spec["values"]))


def _ztunnel(_: str, spec: Object) -> Iterator[Installed]:
    values = merged(_profile("ambient"), spec["values"])
    yield Installed("ztunnel", "ztunnel", spec["namespace"], merged(values, spec["values"].get("ztunnel") or {}))


_MAKERS = {"Istio": _istio, "IstioCNI": _cni, "ZTunnel": _ztunnel}


def _profile(name: str | None) -> Object:
    return merged(DEFAULT, PROFILES[name or "default"])


def template(chart: str, name: str, namespace: str, values: Any) -> list[Object]:
    """What the real helm makes of one of Istio's charts, without its CRDs."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "values.json")
        file.write_text(json.dumps(values), encoding="utf-8")
        command = [tool("helm"), "template", name, istio_charts() / CHARTS[chart], f"--namespace={namespace}"]
        run = subprocess.run([*command, f"--values={file}"], capture_output=True, text=True, check=False)
    assert not run.returncode, run.stderr
    return [obj for obj in read_yaml(run.stdout) if obj["kind"] != "CustomResourceDefinition"]
