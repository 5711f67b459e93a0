"""Opens Services: what `expose` asks for, laid over the objects that were built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshgen.build.addons import default_ports
from meshgen.build.clouds import UNSAYABLE, cloud_annotations, speaks_of_balancers
from meshgen.build.operator import NAME as OPERATOR_NAME
from meshgen.build.ranges import cover_everything, is_address, range_problem
from meshgen.build.stage import KubernetesObject, Remark, Stage
from meshgen.config.problems import guess, shown
from meshgen.sops import METADATA, is_encrypted
from meshgen.yaml import pointer


def open_services(
    stages: tuple[Stage, ...], expose: dict[str, Any], clouds: tuple[str, ...], namespace: str, builtin: tuple[str, ...]
) -> tuple[tuple[Stage, ...], tuple[Remark, ...]]:
    """Give the stages with their Services opened as `expose` asks, and what is wrong with what it asks.

    An object that nothing changes stays the same object. With several clouds (an environment whose clusters stand on
    different ones) a Service that would differ from cloud to cloud stays closed: each cluster's overlay opens it.
    `builtin` names the addons that meshgen wrote itself, whose ports it knows.
    """
    services = [obj for stage in stages for obj in stage.objects if _is_service(obj)]
    opened: dict[int, KubernetesObject] = {}
    asked_by: dict[int, str] = {}
    remarks: list[Remark] = []
    for key, exposure in expose.items():
        service = home_first(services, key, namespace)
        if service is None:
            remarks.append(_unknown(key, services))
            continue
        if (first := asked_by.setdefault(id(service), key)) != key:
            remarks.append(same_service(key, first))
            continue
        is_home = service["metadata"].get("namespace") == namespace
        asked = Asked(key, exposure or {}, service, builtin if is_home else ())
        found = asked.problems(clouds)
        remarks += found
        if any(remark.severity == "error" for remark in found):
            continue
        outcomes = [asked.opened(cloud) for cloud in clouds]
        if all(outcome == outcomes[0] for outcome in outcomes[1:]) and outcomes[0] != service:
            opened[id(service)] = outcomes[0]
    return tuple(_replaced(stage, opened) for stage in stages), tuple(remarks)


def same_service(key: str, first: str) -> Remark:
    """Two keys of `expose` that mean one Service."""
    message = f'expose.{key} is the same Service as "{first}"'
    return Remark("MG307", message, pointer(["expose", key]), "keep one of them", at_key=True)


def _is_service(obj: KubernetesObject) -> bool:
    # Knative has a kind Service too, in a group of its own.
    return bool(obj["kind"] == "Service" and obj["apiVersion"] == "v1")


def _replaced(stage: Stage, opened: dict[int, KubernetesObject]) -> Stage:
    if not any(id(obj) in opened for obj in stage.objects):
        return stage
    return Stage(stage.name, tuple(opened.get(id(obj), obj) for obj in stage.objects))


def home_first(services: list[KubernetesObject], key: str, namespace: str) -> KubernetesObject | None:
    """The Service that a key names; without a namespace the control plane's comes first."""
    name, _, wanted = key.partition(".")
    named = [service for service in services if service["metadata"]["name"] == name]
    if wanted:
        return next((s for s in named if s["metadata"].get("namespace", "default") == wanted), None)
    home = [s for s in named if s["metadata"].get("namespace") == namespace]
    if home:
        return home[0]
    return named[0] if len(named) == 1 else None


def _unknown(key: str, services: list[KubernetesObject]) -> Remark:
    at = pointer(["expose", key])
    known = sorted({service["metadata"]["name"] for service in services} - {OPERATOR_NAME})
    name, _, wanted = key.partition(".")
    homes = sorted(s["metadata"].get("namespace", "default") for s in services if s["metadata"]["name"] == name)
    if homes and wanted:
        message = f'expose: there is no Service "{name}" in namespace {wanted}'
        hint = "did you mean " + " or ".join(f"{name}.{home}" for home in homes) + "?"
        return Remark("MG301", message, at, hint, at_key=True)
    if homes:
        hint = "one of " + ", ".join(f"{name}.{home}" for home in homes)
        return Remark("MG301", f'expose: which Service "{key}"? It is in {", ".join(homes)}', at, hint, at_key=True)
    message = f'expose: Service "{key}" is made by Istio itself, not by this tree'
    if name.startswith("istiod"):
        return Remark("MG301", message, at, "the control plane stays inside; take it out", at_key=True)
    for kind in ("ingress", "egress"):
        if name.startswith(f"istio-{kind}gateway"):
            hint = f"add it to istio.components.{kind}Gateways, or take this out"
            message = f'expose: there is no gateway "{name}"'
            return Remark("MG301", message, at, hint, at_key=True)
    hint = guess(name, known) or "no addon with a Service is set: see `addons`"
    if (addon := _BROUGHT_BY.get(name)) and not hint.startswith("did you mean"):
        hint = f"{addon} brings it and is not set here: add it to `addons`, or take this out (in an overlay: null)"
    return Remark("MG301", f'expose: there is no Service "{key}"', at, hint, at_key=True)


# The Services that people know by name, and the addon that each comes with.
_BROUGHT_BY = {
    "prometheus": "prometheus",
    "grafana": "grafana",
    "kiali": "kiali",
    "tracing": "jaeger (or zipkin)",
    "zipkin": "jaeger (or zipkin)",
    "jaeger-collector": "jaeger",
    "loki": "loki",
}


class Asked:
    """One Service and what is asked of it."""

    def __init__(self, key: str, exposure: dict[str, Any], service: KubernetesObject, builtin: tuple[str, ...]) -> None:
        self.key = key
        self.exposure = exposure
        self.service = service
        self.type: str = exposure.get("type") or "LoadBalancer"
        self.ports: list[dict[str, Any]] = service["spec"].get("ports") or []
        self.wanted = exposure.get("ports")
        name = service["metadata"]["name"]
        if not self.wanted and self.type != "ClusterIP" and name in builtin:
            self.wanted = default_ports(name, name)

    def opened(self, cloud: str) -> KubernetesObject:
        """The Service as it is asked for on that cloud; its selector stays untouched."""
        exposure, spec = self.exposure, dict(self.service["spec"])
        spec["type"] = self.type
        if self.wanted:
            spec["ports"] = [port for port in self.ports if any(_is(port, wanted) for wanted in self.wanted)]
        for key in ("loadBalancerIP", "loadBalancerClass", "externalTrafficPolicy"):
            if exposure.get(key):
                spec[key] = exposure[key]
        if exposure.get("sourceRanges"):
            spec["loadBalancerSourceRanges"] = list(exposure["sourceRanges"])
        # The API server refuses what belongs to another type.
        for key in _FIELDS_OF_OTHERS[self.type]:
            spec.pop(key, None)
        if self.type == "ClusterIP" and any("nodePort" in port for port in self.ports):
            spec["ports"] = [{key: port[key] for key in port if key != "nodePort"} for port in spec["ports"]]
        metadata = dict(self.service["metadata"])
        marks = {**(metadata.get("annotations") or {}), **cloud_annotations(cloud, self.type, exposure)}
        marks.update({key: value for key, value in (exposure.get("annotations") or {}).items() if value is not None})
        if marks:
            metadata["annotations"] = marks
        return {**self.service, "metadata": metadata, "spec": spec}

    def problems(self, clouds: Iterable[str]) -> list[Remark]:
        """What can't be done, and what a reviewer should know."""
        refused = list(self._refused())
        if any(remark.at_key for remark in refused):
            return refused
        return [*refused, *self._ports(), *self._ranges(), *self._clouds(clouds), *self._open_to_all(clouds)]

    def _remark(self, rule: str, what: str, *path: str | int, hint: str | None = None, warn: bool = False) -> Remark:
        message = f"expose.{self.key}" + "".join(f".{part}" for part in path if isinstance(part, str)) + f": {what}"
        at = pointer(["expose", self.key, *path])
        metadata = self.service["metadata"]
        return Remark(
            rule,
            message,
            at,
            hint,
            "warning" if warn else "error",
            at_key=not path,
            object=f"Service/{metadata['name']}",
            namespace=metadata.get("namespace"),
        )

    def _refused(self) -> Iterable[Remark]:
        spec = self.service["spec"]
        if spec.get("clusterIP") == "None":
            hint = "it has no virtual IP, so there is nothing to balance; open another Service of the same pods"
            yield self._remark("MG302", "a headless Service can't be opened", hint=hint)
        if spec.get("type") == "ExternalName":
            hint = "it is a DNS alias without pods; open the Service that it points at"
            yield self._remark("MG303", "an ExternalName Service can't be opened", hint=hint)
        if is_encrypted(self.service) and not self.service[METADATA].get("mac_only_encrypted"):
            hint = "keep the Service in a file of its own, in the clear"
            yield self._remark("MG309", "SOPS encrypted it, and decrypts nothing that was changed since", hint=hint)
        if self.type != "LoadBalancer":
            for key in ("internal", "sourceRanges", "loadBalancerIP", "loadBalancerClass"):
                if self.exposure.get(key):
                    hint = f"take it out, or say type: LoadBalancer instead of {self.type}"
                    yield self._remark("MG306", "only a LoadBalancer has it", key, hint=hint)
        if self.type == "ClusterIP" and self.exposure.get("externalTrafficPolicy"):
            hint = "take it out: nothing from outside reaches a ClusterIP Service"
            yield self._remark("MG306", "a ClusterIP Service does not have it", "externalTrafficPolicy", hint=hint)

    def _ports(self) -> Iterable[Remark]:
        for index, wanted in enumerate(self.exposure.get("ports") or []):
            if not any(_is(port, wanted) for port in self.ports):
                known = [port.get("name") or str(port["port"]) for port in self.ports]
                hint = guess(str(wanted), known)
                yield self._remark("MG304", f"there is no port {shown(wanted)}", "ports", index, hint=hint)
        metrics = [port["name"] for port in self.ports if str(port.get("name", "")).endswith("metrics")]
        if metrics and self.wanted is None and self.type == "LoadBalancer" and len(self.ports) > len(metrics):
            others = ", ".join(port["name"] for port in self.ports if port.get("name") not in (None, *metrics))
            yield self._remark("MG502", f"opens {metrics[0]} too", hint=f"choose: ports: [{others}]", warn=True)

    def _ranges(self) -> Iterable[Remark]:
        for index, cidr in enumerate(self.exposure.get("sourceRanges") or []):
            problem, hint = range_problem(cidr)
            if problem:
                what = f"{shown(cidr)} {problem}"
                yield self._remark("MG101", what, "sourceRanges", index, hint=hint)
        address = self.exposure.get("loadBalancerIP")
        if address and not is_address(address):
            hint = "write one address, say 10.1.2.3"
            yield self._remark("MG101", f"{shown(address)} is not an IP address", "loadBalancerIP", hint=hint)

    def _clouds(self, clouds: Iterable[str]) -> Iterable[Remark]:
        if self.type != "LoadBalancer":
            return
        own = self.exposure.get("annotations") or {}
        if self.exposure.get("loadBalancerClass") or any(speaks_of_balancers(key) for key in own):
            return
        for cloud in clouds:
            for key, (hint, fatal) in UNSAYABLE.get(cloud, {}).items():
                if self.exposure.get(key):
                    what = f"means nothing on a cluster with cloud: {cloud}"
                    yield self._remark("MG305", what, key, hint=hint, warn=not fatal)

    def _open_to_all(self, clouds: Iterable[str]) -> Iterable[Remark]:
        ranges = self.exposure.get("sourceRanges") or []
        narrow = ranges and not cover_everything(ranges)
        internal = self.exposure.get("internal") and not self._overrides(clouds)
        guarded = internal or self.exposure.get("public") or narrow
        if self.type == "LoadBalancer" and not guarded:
            hint = "say internal: true, sourceRanges: [...], or public: and the reason"
            yield self._remark("MG501", "the load balancer is open to every address", hint=hint, warn=True)

    def _overrides(self, clouds: Iterable[str]) -> bool:
        """Whether annotations of one's own say something else than the cloud's, which make it internal."""
        own = self.exposure.get("annotations") or {}
        said = [cloud_annotations(cloud, self.type, self.exposure) for cloud in clouds]
        return any(own.get(key, value) != value for marks in said for key, value in marks.items())


_OF_A_BALANCER = (
    "loadBalancerIP",
    "loadBalancerClass",
    "loadBalancerSourceRanges",
    "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
)
_FIELDS_OF_OTHERS = {
    "LoadBalancer": (),
    "NodePort": _OF_A_BALANCER,
    "ClusterIP": (*_OF_A_BALANCER, "externalTrafficPolicy"),
}


def _is(port: dict[str, Any], wanted: str | int) -> bool:
    return wanted in (port.get("name"), port["port"]) or str(port["port"]) == wanted
