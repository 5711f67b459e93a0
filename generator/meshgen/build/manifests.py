"""Objects that no builder makes: they come with the build's input."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshgen.build.stage import KubernetesObject
from meshgen.config.document import Document
from meshgen.layout.identity import Identity, identity

# Values of `addons.NAME.source` that name no manifests.
SHIPPED = ("builtin", "helm")


@dataclass(frozen=True, eq=False)
class Manifest:
    """One object of the user's own, as `kustomize build` will give it back, and the document that holds it."""

    object: KubernetesObject
    document: Document


@dataclass(frozen=True, eq=False)
class Manifests:
    """Objects that no builder makes; equal to itself only, so that a memory can tell it by.

    `of_addons` and `of_resources` are the user's own, by the path in `addons.NAME.source` and in `resources.NAME.path`;
    `generated` what istioctl made of each IstioOperator, by `generated_key`.
    """

    of_addons: Mapping[str, tuple[Manifest, ...]] = field(default_factory=dict)
    of_resources: Mapping[str, tuple[Manifest, ...]] = field(default_factory=dict)
    generated: Mapping[str, tuple[KubernetesObject, ...]] = field(default_factory=dict)

    def generate(self, version: str, resource: KubernetesObject) -> tuple[KubernetesObject, ...]:
        """What istioctl made of an IstioOperator; nothing where no cluster needs it."""
        return self.generated.get(generated_key(version, resource), ())

    def places(self, addons: Mapping[str, Any], resources: Mapping[str, Any]) -> Places:
        """Where everything that a cluster with these settings takes from the user's own manifests is written."""
        return Places(self._taken(addons, resources))

    def _taken(self, addons: Mapping[str, Any], resources: Mapping[str, Any]) -> Iterator[Manifest]:
        for addon in addons.values():
            yield from self.of_addons.get(addon.get("source") or "builtin", ())
        for resource in resources.values():
            yield from self.of_resources.get((resource or {}).get("path") or "", ())


class Places:
    """Where objects of the user's own are written, whatever has been made of them since."""

    def __init__(self, manifests: Iterable[Manifest] = ()) -> None:
        self._documents: dict[Identity, list[Document]] = {}
        for one in manifests:
            self._documents.setdefault(identity(one.object).registered, []).append(one.document)

    def __bool__(self) -> bool:
        return bool(self._documents)

    def of(self, obj: KubernetesObject) -> Document | None:
        """The document that holds an object; None for an object that the user did not write."""
        return next(iter(self.all(identity(obj))), None) if self._documents else None

    def all(self, key: Identity) -> list[Document]:
        """Every document that holds an object of this identity."""
        return self._documents.get(key.registered, [])


def generated_key(version: str, resource: KubernetesObject) -> str:
    """What tells one rendering from another: Istio's version and the IstioOperator."""
    return f"{version} {json.dumps(resource)}"
