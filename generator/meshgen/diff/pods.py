"""What more a pod may do: on its node, as root, and in the cloud by the identity of its ServiceAccount."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.config.problems import plain
from meshgen.diff.reach import Verdict
from meshgen.policy.reading import Map, containers, items, mapping, number, pod_template, text, texts

# Every pod may have it, by Kubernetes' strictest standard too.
_HARMLESS = "NET_BIND_SERVICE"
_IDENTITY = re.compile(r"/role-arn$|^iam\.gke\.io/gcp-service-account$|^azure\.workload\.identity/(client|tenant)-id$")


def permitted(old: Map, new: Map) -> Iterator[Verdict]:
    """What the pods of an object may do that they could not."""
    if new.get("kind") == "ServiceAccount":
        yield from _identified(old, new)
        return
    after = pod_template(new) if new else None
    if after is None:
        return
    before = (pod_template(old) if old else None) or {}
    if more := sorted(_paths(after) - _paths(before)):
        yield "security", f"its pods mount {', '.join(map(plain, more[:3]))} of their node"
    known = {text(one, "name"): one for one in containers(before)}
    for one in containers(after):
        was = known.get(text(one, "name"), {})
        if added := sorted(_added(one) - _added(was)):
            yield "security", f"container {plain(one.get('name'))} gets {', '.join(map(plain, added[:3]))}"
        if was and (now := _root(after, one)) > _root(before, was):
            yield "security", f"container {plain(one.get('name'))} {'runs' if now == 2 else 'may run'} as root"


def _identified(old: Map, new: Map) -> Iterator[Verdict]:
    before, after = (mapping(one, "metadata", "annotations") for one in (old, new))
    for name, value in after.items():
        if _IDENTITY.search(str(name)) and value != before.get(name):
            yield "security", f"its pods act in the cloud as another identity: {plain(name)} is {plain(value)}"


def _paths(template: Map) -> set[str]:
    """The paths of its node that a pod mounts."""
    return {path for one in items(template, "spec", "volumes") if (path := text(one, "hostPath", "path"))}


def _added(container: Map) -> set[str]:
    return set(texts(container, "securityContext", "capabilities", "add")) - {_HARMLESS}


def _root(template: Map, container: Map) -> int:
    """Whether a container runs as root: 0 for never, 1 where its image says, 2 for always."""
    said = (mapping(container, "securityContext"), mapping(template, "spec", "securityContext"))
    user = next((found for one in said if (found := number(one, "runAsUser")) is not None), None)
    if user is not None:
        return 0 if user else 2
    return 0 if next((one["runAsNonRoot"] for one in said if "runAsNonRoot" in one), False) is True else 1
