"""Plays Flux's helm-controller: from HelmReleases alone to the objects that arrive in a cluster.

Charts are folders, not fetched, and nothing is waited for. The rules are those of helm-controller 1.6 (api/v2,
internal/action, internal/postrender) and of Helm 4's install; the work is done by the real helm and kustomize.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from meshgen.layout.identity import Identity, identity
from tests.apiserver import wait_for_crds
from tests.helmrelease import GROUP, Refused, Release, in_order, key_of
from tests.objects import Object, read_yaml
from tests.tools import tool

# What would change the objects and is not played here: to pass over it would prove too much.
NOT_PLAYED = ("kubeConfig", "postRenderStrategy", "suspend", "valuesFrom")
# Helm's InstallOrder, without the kinds that no server has any more. All other kinds come last, by name.
_KINDS = """
PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodDisruptionBudget ServiceAccount Secret ConfigMap
StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleBinding Role
RoleBinding Service DaemonSet Pod ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet
Job CronJob IngressClass Ingress APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration
"""
INSTALL_ORDER = _KINDS.split()


class Kubectl(Protocol):
    """Runs kubectl against one cluster; gives what it prints."""

    def __call__(self, *args: str, stdin: str | None = None) -> str: ...


def install(
    releases: Iterable[Object],
    sources: Iterable[Object],
    charts: Mapping[str, Path],
    *,
    kubernetes: str = "1.36.3",
    api_versions: Sequence[str] = (),
) -> list[Object]:
    """Give all that the HelmReleases bring into an empty cluster, each release after those that it depends on.

    `sources` holds their HelmRepositories and OCIRepositories, `charts` a folder for each chart's name. `kubernetes`
    and `api_versions` are what charts see as `.Capabilities`. The objects are as they arrive: with a namespace, and
    with what Helm and helm-controller add (see `as_rendered`). Two releases that bring one object are refused.
    """
    found = {(source["kind"], *key_of(source["metadata"])): source for source in sources}
    capabilities = [f"--kube-version={kubernetes}", *(f"--api-versions={version}" for version in api_versions)]
    objects: dict[Identity, Object] = {}
    for release in in_order([Release(resource) for resource in releases]):
        chart = charts[release.chart(found)]
        for obj in _prerequisites(release, chart):
            objects.setdefault(identity(obj), obj)
        for obj in _render(release, chart, capabilities):
            if objects.setdefault(identity(obj), obj) is not obj:
                raise Refused(f"{'/'.join(release.key)} brings what is there already: {identity(obj)}")
    return list(objects.values())


def as_rendered(obj: Object) -> Object:
    """Give an object without the labels and annotations by which Helm and helm-controller know their own."""
    metadata = {
        **obj["metadata"],
        "labels": _without(obj["metadata"].get("labels"), f"{GROUP}/", "app.kubernetes.io/managed-by"),
        "annotations": _without(obj["metadata"].get("annotations"), "meta.helm.sh/"),
    }
    return {**obj, "metadata": {key: value for key, value in metadata.items() if value != {}}}


def apply(objects: Iterable[Object], kubectl: Kubectl) -> None:
    """Bring objects into a cluster by server-side apply: Namespaces, CRDs until they are served, all others."""
    ordered = sorted(objects, key=_rank)
    namespaces = [obj for obj in ordered if obj["kind"] == "Namespace"]
    definitions = [obj for obj in ordered if obj["kind"] == "CustomResourceDefinition"]
    others = [obj for obj in ordered if obj["kind"] not in ("Namespace", "CustomResourceDefinition")]
    for group in (namespaces, definitions, others):
        if group:
            stream = json.dumps({"apiVersion": "v1", "kind": "List", "items": group})
            kubectl(
                "apply", "--server-side", "--force-conflicts", "--field-manager=helm-controller", "-f-", stdin=stream
            )
        if group and group is definitions:
            names = [f"customresourcedefinition/{obj['metadata']['name']}" for obj in group]
            wait_for_crds(kubectl, *names)


def _prerequisites(release: Release, chart: Path) -> Iterator[Object]:
    """What helm-controller makes before the release, and does not count as a part of it."""
    if release.spec.get("targetNamespace") and release.settings.get("createNamespace"):
        labels = {"name": release.namespace}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": release.namespace, "labels": labels}}
    if release.settings.get("crds") != "Skip":
        for obj in read_yaml(_run(tool("helm"), "show", "crds", chart)):
            if obj["kind"] == "CustomResourceDefinition":
                _update(obj, "labels", release.labels)
                yield obj


def _render(release: Release, chart: Path, capabilities: Sequence[str]) -> list[Object]:
    unknown = [key for key in NOT_PLAYED if release.spec.get(key)]
    if unknown:
        raise Refused(f"{'/'.join(release.key)} has {unknown}, which nobody plays here")
    text = _template(release, chart, capabilities)
    if not read_yaml(text):
        return []
    for renderer in release.spec.get("postRenderers") or ():
        text = _kustomize(text, renderer["kustomize"])
    common = release.spec.get("commonMetadata") or {}
    labels = {**(common.get("labels") or {}), **release.labels}
    text = _kustomize(text, {"transformers": [_labels(labels), _annotations(common.get("annotations") or {})]})
    return sorted((_own(release, obj) for obj in read_yaml(text) if _arrives(obj)), key=_rank)


def _template(release: Release, chart: Path, capabilities: Sequence[str]) -> str:
    flags = [f"--namespace={release.namespace}", *capabilities]
    flags += ["--no-hooks"] if release.settings.get("disableHooks") else []
    flags += ["--skip-schema-validation"] if release.settings.get("disableSchemaValidation") else []
    with tempfile.TemporaryDirectory() as directory:
        values = Path(directory, "values.json")
        values.write_text(json.dumps(release.spec.get("values") or {}), encoding="utf-8")
        return _run(tool("helm"), "template", release.name, chart, f"--values={values}", *flags)


def _kustomize(text: str, settings: Object) -> str:
    """Build a kustomization of a stream of objects, as helm-controller's post-renderers do in memory."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "helm-output.yaml").write_text(text, encoding="utf-8")
        kustomization = {**settings, "resources": ["helm-output.yaml"]}
        Path(directory, "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
        return _run(tool("kubectl"), "kustomize", directory)


def _labels(labels: Mapping[str, str]) -> str:
    return _transformer("LabelTransformer", "labels", labels)


def _annotations(annotations: Mapping[str, str]) -> str:
    return _transformer("AnnotationsTransformer", "annotations", annotations)


def _transformer(kind: str, field: str, values: Mapping[str, str]) -> str:
    """kustomize's own transformer, for the object's metadata alone and not for Pods' templates."""
    specs = [{"path": f"metadata/{field}", "create": True}]
    own = {"apiVersion": "builtin", "kind": kind, "metadata": {"name": field}}
    return json.dumps({**own, field: values, "fieldSpecs": specs})


def _own(release: Release, obj: Object) -> Object:
    """Add what Helm adds when it applies an object; hooks are no part of the release."""
    if identity(obj).cluster_scoped:
        obj["metadata"].pop("namespace", None)
    else:
        obj["metadata"].setdefault("namespace", release.namespace)
    if not _hooks(obj):
        _update(obj, "labels", {"app.kubernetes.io/managed-by": "Helm"})
        owner = {"meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace}
        _update(obj, "annotations", owner)
    return obj


def _arrives(obj: Object) -> bool:
    """An installation runs the hooks around it; tests, and what is for upgrades and the end, are for other times."""
    return not _hooks(obj) or not _hooks(obj).isdisjoint({"pre-install", "post-install"})


def _hooks(obj: Object) -> set[str]:
    annotations = obj["metadata"].get("annotations") or {}
    return {name.strip() for name in annotations.get("helm.sh/hook", "").split(",") if name.strip()}


def _rank(obj: Object) -> tuple[int, int, str]:
    """The place in Helm's order: hooks before and after all else."""
    hooks = _hooks(obj)
    stage = -1 if "pre-install" in hooks else 1 if "post-install" in hooks else 0
    kind = obj["kind"]
    known = kind in INSTALL_ORDER
    return stage, INSTALL_ORDER.index(kind) if known else len(INSTALL_ORDER), "" if known else kind


def _update(obj: Object, field: str, values: Mapping[str, str]) -> None:
    obj["metadata"][field] = {**(obj["metadata"].get(field) or {}), **values}


def _without(values: Mapping[str, str] | None, *prefixes: str) -> dict[str, str]:
    return {key: value for key, value in (values or {}).items() if not key.startswith(prefixes)}


def _run(*command: str | Path) -> str:
    """Run a tool that sees nothing of the user's own settings."""
    with tempfile.TemporaryDirectory() as home:
        own = {f"HELM_{kind}_HOME": f"{home}/{kind}" for kind in ("CACHE", "CONFIG", "DATA")}
        run = subprocess.run(
            command, env={**os.environ, **own}, capture_output=True, text=True, encoding="utf-8", check=False
        )
    if run.returncode:
        raise Refused(run.stderr)
    return run.stdout
