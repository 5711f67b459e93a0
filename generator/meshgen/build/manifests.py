"""Objects that no builder makes: they come with the build's input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from meshgen.build.stage import KubernetesObject


@dataclass(frozen=True, eq=False)
class Manifests:
    """Objects that no builder makes; equal to itself only, so that a memory can tell it by.

    `by_source` are the user's own, by the path in `source`; `generated` what istioctl made of each IstioOperator, by
    `generated_key`.
    """

    by_source: Mapping[str, tuple[KubernetesObject, ...]]
    generated: Mapping[str, tuple[KubernetesObject, ...]] = field(default_factory=dict)

    def generate(self, version: str, resource: KubernetesObject) -> tuple[KubernetesObject, ...]:
        """What istioctl made of an IstioOperator; nothing where no cluster needs it."""
        return self.generated.get(generated_key(version, resource), ())


def generated_key(version: str, resource: KubernetesObject) -> str:
    """What tells one rendering from another: Istio's version and the IstioOperator."""
    return f"{version} {json.dumps(resource)}"
