"""Helm charts that a tree installs: what is known of a release, whichever engine installs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KubernetesObject = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart and where it comes from.

    `repository` is a Helm repository (`https://…`) or an OCI registry's folder (`oci://…`) that holds the chart `name`;
    `secret` names a Secret with credentials for it, which someone has made. `origin` is what the repository is called
    where an engine has an object for it. `unsound` says that the chart's own defaults break its schema, for which Helm
    refuses it since 3.18.5.
    """

    name: str
    repository: str
    version: str
    origin: str
    secret: str | None = None
    unsound: bool = False

    @property
    def oci(self) -> bool:
        """Whether the chart is an OCI artifact."""
        return self.repository.startswith("oci://")


@dataclass(frozen=True, eq=False)
class ObjectPatch:
    """A change of one rendered object that the chart's values can't say.

    `change` is a strategic merge without apiVersion, kind and metadata.name, or a list of JSON 6902 operations. Where
    no object has that kind and name it changes nothing. `pointer` leads to the setting that asks for it,
    `setting` is its key in `k8s` and its value, where it is one of these.
    """

    kind: str
    name: str
    change: dict[str, Any] | list[dict[str, Any]]
    pointer: str
    setting: tuple[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class ChartRelease:
    """A Helm release: its name, its chart, the namespace of its objects, its values, and what has to be ready before.

    `patches` are for engines that post-render. `after` holds names of other releases of the same cluster.
    """

    name: str
    chart: Chart
    namespace: str
    values: dict[str, Any]
    patches: tuple[ObjectPatch, ...] = ()
    after: tuple[str, ...] = field(default=())
