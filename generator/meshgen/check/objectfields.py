"""What is wrong with every object of a stage: by the fields that its kind has there, and by Istio's own webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meshgen.build.manifests import Places
from meshgen.build.stage import ADDONS, CHARTS, KubernetesObject, Memory, Remark, Stage
from meshgen.catalog import Version
from meshgen.catalog.kinds import Api, Type
from meshgen.check.kinds import crd_types, kind_problems
from meshgen.check.webhook import refused_problems
from meshgen.sops import is_encrypted

# What the fields of meshgen's own objects are made of, where it is not Istio's settings.
_MADE_OF = {ADDONS: "/addons", CHARTS: "/addons"}


@dataclass(frozen=True, eq=False)
class KindsBrought:
    """The types of the kinds that CRDs of a cluster bring; equal to itself only, so that a memory can tell it by."""

    types: Mapping[Api, Type]


def kinds_brought(memory: Memory, stages: Sequence[Stage]) -> KindsBrought:
    """The kinds that CRDs among the objects of stages bring."""
    return memory.recall(_joined, *(one for stage in stages if (one := memory.recall(_brought, stage)).types))


def _brought(stage: Stage) -> KindsBrought:
    crds = (obj for obj in stage.objects if obj["kind"] == "CustomResourceDefinition")
    return KindsBrought({api: type_ for crd in crds for api, type_ in crd_types(crd).items()})


def _joined(*brought: KindsBrought) -> KindsBrought:
    return KindsBrought({api: type_ for one in brought for api, type_ in one.types.items()})


def field_remarks(stage: Stage, kubernetes: str, istio: Version, brought: KindsBrought, places: Places) -> list[Remark]:
    """What an API server with strict field validation, or Istio's webhook, would refuse of the objects of a stage.

    What SOPS encrypts is left alone: the cluster gets another object.
    """
    remarks = []
    for obj in stage.objects:
        if is_encrypted(obj):
            continue
        document, made_of = places.of(obj), _MADE_OF.get(stage.name, "/istio")
        about, space = f"{obj['kind']}/{obj['metadata']['name']}", obj["metadata"].get("namespace")
        found = list(kind_problems(obj, kubernetes, istio, brought.types))
        api = Api(obj["apiVersion"], obj["kind"])
        if document is None and api.group == "sailoperator.io" and api not in brought.types:
            # The builder has said it, at the setting's own place: see build.sailvalues.
            found = [one for one in found if not one.pointer.startswith("/spec/values/")]
        for one in (*found, *refused_problems(obj, istio, found)):
            where = (one.pointer, one.hint, one.severity, one.at_key, document, about, space)
            remark = Remark(one.rule, one.message, *where)
            remarks.append(remark if document else replace(remark, pointer=made_of, at_key=True))
    return remarks


def wiring_remarks(obj: KubernetesObject, kubernetes: str, istio: Version) -> list[Remark]:
    """What is wrong with the fields of an object of an engine's own."""
    return [
        Remark(one.rule, one.message, "/delivery", one.hint, one.severity, at_key=True)
        for one in kind_problems(obj, kubernetes, istio)
    ]
