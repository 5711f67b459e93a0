"""Flux's HelmRelease as helm-controller reads it: what it defaults to, and which release comes after which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tests.objects import Object

GROUP = "helm.toolkit.fluxcd.io"


class Refused(AssertionError):
    """helm-controller or a tool of its would not install this, or not so: the message says what and why."""


@dataclass(frozen=True)
class Release:
    """A HelmRelease with helm-controller's defaults."""

    resource: Object

    @property
    def spec(self) -> Object:
        spec: Object = self.resource["spec"]
        return spec

    @property
    def settings(self) -> Object:
        """What `spec.install` says."""
        return self.spec.get("install") or {}

    @property
    def key(self) -> tuple[str, str]:
        return key_of(self.resource["metadata"])

    @property
    def namespace(self) -> str:
        return self.spec.get("targetNamespace") or self.key[0]

    @property
    def name(self) -> str:
        """The Helm release's name, cut to the 53 characters that Helm takes."""
        target = self.spec.get("targetNamespace")
        own = self.key[1]
        name: str = self.spec.get("releaseName") or (f"{target}-{own}" if target else own)
        return name if len(name) <= 53 else f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"

    @property
    def dependencies(self) -> list[tuple[str, str]]:
        return [key_of(other, self.key[0]) for other in self.spec.get("dependsOn") or ()]

    @property
    def labels(self) -> dict[str, str]:
        """By which helm-controller marks what is the release's."""
        namespace, name = self.key
        return {f"{GROUP}/name": name, f"{GROUP}/namespace": namespace}

    def chart(self, sources: Mapping[tuple[str, str, str], Object]) -> str:
        """The chart's name; its source has to be there, by kind, namespace and name."""
        template, reference = self.spec.get("chart") or {}, self.spec.get("chartRef") or {}
        if bool(template) == bool(reference):
            raise Refused(f"{'/'.join(self.key)} needs one of chart and chartRef")
        wanted = reference or template["spec"]["sourceRef"]
        source = sources.get((wanted["kind"], *key_of(wanted, self.key[0])))
        if source is None:
            raise Refused(f"{'/'.join(self.key)} has no source {wanted}")
        name: str = source["spec"]["url"].rpartition("/")[2] if reference else template["spec"]["chart"]
        return name


def key_of(reference: Object, namespace: str = "default") -> tuple[str, str]:
    """The namespace and name of a reference or of metadata."""
    return reference.get("namespace") or namespace, reference["name"]


def in_order(releases: Sequence[Release]) -> list[Release]:
    """Give each release after those that it depends on, else in the order in which they came."""
    by_key = {release.key: release for release in releases}
    helm_names = {(release.name, release.spec.get("storageNamespace") or release.key[0]) for release in releases}
    if len(by_key) < len(releases) or len(helm_names) < len(releases):
        raise Refused("two HelmReleases of one name, or with one release name")
    for release in releases:
        missing = [other for other in release.dependencies if other not in by_key]
        if missing:
            raise Refused(f"{'/'.join(release.key)} depends on {missing}, which is no HelmRelease here")
    try:
        order = list(TopologicalSorter({key: release.dependencies for key, release in by_key.items()}).static_order())
    except CycleError as error:
        raise Refused(f"HelmReleases depend on each other in a circle: {error.args[1]}") from None
    return [by_key[key] for key in order]
