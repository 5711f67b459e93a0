"""Which Secrets the objects of a cluster need, and which of them nothing in its tree makes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Remark, Stage
from meshgen.policy.reading import items, mapping, text
from meshgen.yaml import pointer

# (namespace, name); no namespace where only the cluster can tell.
Key = tuple[str | None, str]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class NeededSecret:
    """A Secret that an object refers to and that no object makes; `namespace` is None where only the cluster knows."""

    namespace: str | None
    name: str
    needed_by: KubernetesObject
    path: Path


def needed_secrets(objects: Iterable[KubernetesObject]) -> tuple[NeededSecret, ...]:
    """The Secrets that these objects refer to and none of them makes, each by the first object that needs it.

    Made by: a Secret, encrypted or not, an ExternalSecret, a SealedSecret, a Certificate of cert-manager, a secret of
    Vault's operator. What is optional is not needed.
    """
    all_objects = tuple(objects)
    made = {key for obj in all_objects for key in made_secrets(obj)}
    names = {name for _, name in made}
    anywhere = {name for namespace, name in made if namespace is None}
    found: dict[Key, NeededSecret] = {}
    for obj in all_objects:
        for namespace, name, path in _needed(obj):
            is_made = name in (names if namespace is None else anywhere) or (namespace, name) in made
            if not is_made:
                found.setdefault((namespace, name), NeededSecret(namespace, name, obj, path))
    return tuple(found.values())


def needed_remarks(places: Places, *stages: Stage) -> list[Remark]:
    """Secrets that the user's own manifests refer to and nothing makes, told where the tree makes others.

    A tree without any leaves them all to be made elsewhere.
    """
    if not places:
        return []
    objects = [obj for stage in stages for obj in stage.objects]
    made = sorted({name for obj in objects for _, name in made_secrets(obj)})
    return [_remark(one, made, places) for one in needed_secrets(objects) if places.of(one.needed_by)] if made else []


def _remark(one: NeededSecret, made: list[str], places: Places) -> Remark:
    obj = one.needed_by
    where = f" in {one.namespace}" if one.namespace else ""
    message = f"{obj['kind']} {obj['metadata']['name']}: nothing here makes the Secret {one.name}{where}"
    near = difflib.get_close_matches(one.name, made, n=1, cutoff=0.65)
    hint = "make it on the cluster, or add an ExternalSecret, a SealedSecret or a Certificate"
    if near:
        hint = f'did you mean "{near[0]}"? Else {hint}'
    return Remark(
        "MG458",
        message,
        pointer(one.path),
        hint,
        "info",
        document=places.of(obj),
        object=f"{obj['kind']}/{obj['metadata']['name']}",
        namespace=obj["metadata"].get("namespace"),
    )


def made_secrets(obj: KubernetesObject) -> Iterator[Key]:
    """The Secrets that exist once an object is applied and its operator has seen to it."""
    namespace, spec = _namespace(obj), mapping(obj.get("spec"))
    name = str(obj["metadata"]["name"])
    match _group(obj), obj["kind"]:
        case "", "Secret":
            pass
        case "external-secrets.io", "ExternalSecret":
            name = _target(spec, name)
        case "external-secrets.io", "ClusterExternalSecret":
            name = _target(mapping(spec.get("externalSecretSpec")), text(spec, "externalSecretName") or name)
            # Which namespaces it selects, only the cluster knows.
            yield from ((None, one) for one in (name,) if one)
            return
        case "bitnami.com", "SealedSecret":
            name = text(mapping(mapping(spec.get("template")).get("metadata")), "name") or name
        case "cert-manager.io", "Certificate":
            name = text(spec, "secretName")
        case "secrets.hashicorp.com", _:
            name = text(mapping(spec.get("destination")), "name")
        case ("gateway.networking.k8s.io", "Gateway") | ("networking.k8s.io", "Ingress") if _by_cert_manager(obj):
            yield from ((at, made) for at, made, _ in _needed(obj))
            return
        case _:
            return
    if name:
        yield namespace, name


def _target(spec: dict[str, Any], name: str) -> str:
    target = mapping(spec.get("target"))
    return "" if text(target, "creationPolicy") in ("None", "Merge") else text(target, "name") or name


def _by_cert_manager(obj: KubernetesObject) -> bool:
    annotations = mapping(obj["metadata"].get("annotations"))
    return any(annotations.get(f"cert-manager.io/{issuer}") for issuer in ("issuer", "cluster-issuer"))


_Needed = Iterator[tuple[str | None, str, Path]]


def _needed(obj: KubernetesObject) -> _Needed:
    """(namespace, name, where it is said) of the Secrets that an object refers to."""
    here, spec = _namespace(obj), mapping(obj.get("spec"))
    match _group(obj), obj["kind"]:
        case "networking.istio.io", "Gateway":
            yield from _of_istio_gateway(spec)
        case "gateway.networking.k8s.io", "Gateway":
            yield from _of_gateway(spec, here)
        case "networking.k8s.io", "Ingress":
            yield from _named(here, spec, ("spec", "tls"), "secretName")
        case "", "ServiceAccount":
            yield from _named(here, obj, ("imagePullSecrets",), "name")
        case _:
            for template, at in _templates(obj):
                yield from _of_pod(template, here, at)


def _of_istio_gateway(spec: dict[str, Any]) -> _Needed:
    # Its pods read the Secret in their own namespace, which the Gateway does not say.
    for index, server in enumerate(items(spec, "servers")):
        tls = mapping(server.get("tls"))
        name = text(tls, "credentialName")
        if name and "://" not in name:
            yield None, name, ("spec", "servers", index, "tls", "credentialName")


def _of_gateway(spec: dict[str, Any], here: str) -> _Needed:
    for number, listener in enumerate(items(spec, "listeners")):
        for index, ref in enumerate(items(mapping(listener.get("tls")), "certificateRefs")):
            if text(ref, "kind") in ("", "Secret") and (name := text(ref, "name")):
                path = ("spec", "listeners", number, "tls", "certificateRefs", index, "name")
                yield text(ref, "namespace") or here, name, path


def _templates(obj: KubernetesObject) -> Iterator[tuple[dict[str, Any], Path]]:
    """The specs of the pods that an object makes, and where they stand."""
    for at in _PODS.get(obj["kind"], ()):
        value: Any = obj
        for step in at:
            value = mapping(value).get(step)
        if isinstance(value, dict):
            yield value, at


_TEMPLATE = (("spec", "template", "spec"),)
_PODS: dict[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), _TEMPLATE),
    "CronJob": (("spec", "jobTemplate", "spec", "template", "spec"),),
    "Pod": (("spec",),),
}


def _of_pod(pod: dict[str, Any], here: str, at: Path) -> _Needed:
    yield from _named(here, pod, (*at, "imagePullSecrets"), "name")
    for index, volume in enumerate(items(pod, "volumes")):
        yield from _one(here, volume, (*at, "volumes", index), "secret", "secretName")
        for number, source in enumerate(items(mapping(volume.get("projected")), "sources")):
            yield from _one(here, source, (*at, "volumes", index, "projected", "sources", number), "secret", "name")
    for key in ("initContainers", "containers"):
        for index, container in enumerate(items(pod, key)):
            yield from _of_container(here, container, (*at, key, index))


def _of_container(here: str, container: dict[str, Any], at: Path) -> _Needed:
    for index, one in enumerate(items(container, "env")):
        yield from _one(here, mapping(one.get("valueFrom")), (*at, "env", index, "valueFrom"), "secretKeyRef", "name")
    for index, one in enumerate(items(container, "envFrom")):
        yield from _one(here, one, (*at, "envFrom", index), "secretRef", "name")


def _one(here: str, holder: dict[str, Any], at: Path, key: str, name: str) -> _Needed:
    ref = mapping(holder.get(key))
    if text(ref, name) and ref.get("optional") is not True:
        yield here, text(ref, name), (*at, key, name)


def _named(here: str, holder: dict[str, Any], at: Path, name: str) -> _Needed:
    for index, one in enumerate(items(holder, str(at[-1]))):
        if text(one, name):
            yield here, text(one, name), (*at, index, name)


def _group(obj: KubernetesObject) -> str:
    return str(obj["apiVersion"]).rpartition("/")[0]


def _namespace(obj: KubernetesObject) -> str:
    return str(obj["metadata"].get("namespace") or "default")
