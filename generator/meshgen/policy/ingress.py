"""Rules about Istio's Gateways: whether there are pods that serve what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.hosts import NETWORKING, Leading
from meshgen.policy.reading import Map, items, mapping, number, selects, text
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.workloads import workloads

# What the charts of gateways open where nothing else is said: (port of the Service, of the pod).
_USUAL = ((15021, 15021), (80, 8080), (443, 8443))
_OF_DEMO = ((31400, 31400), (15443, 15443))
# Objects by which others install more than the tree shows.
INSTALLERS = (
    ("HelmRelease", "helm.toolkit.fluxcd.io"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io"),
    ("Application", "argoproj.io"),
    ("ApplicationSet", "argoproj.io"),
    ("IstioOperator", "install.istio.io"),
)


@dataclass(frozen=True)
class Pods:
    """Pods that a Gateway may select: their labels (one map for each way to install them), namespace and ports.

    Pods of Istio's installation have more labels than these; `ports` are of their Services and of themselves.
    """

    labels: tuple[Map, ...]
    namespace: str
    ports: frozenset[int]
    installed: bool

    def are_of(self, selector: Map) -> bool:
        """Whether a Gateway's selector picks them, as far as their labels are known."""
        if not self.installed:
            return selects(selector, self.labels[0])
        return any(all(labels.get(key, value) == value for key, value in selector.items()) for labels in self.labels)


def gateway_pods(subject: Subject) -> list[Pods]:
    """The pods of Istio's gateways, and of everything of the user's own; none where no Gateway asks."""
    return [*_installed(subject), *_own(subject)] if subject.of("Gateway", NETWORKING) else []


def _installed(subject: Subject) -> Iterator[Pods]:
    for kind, gateway in subject.gateways:
        name = gateway["name"]
        usual = "istio-ingressgateway" if kind == "ingressGateways" else "istio-egressgateway"
        labels = [{"app": one, "istio": one.removeprefix("istio-")} for one in (name, usual)]
        legacy = mapping(subject.setting("values", "gateways", usual))
        said = [*items(gateway, "k8s", "service", "ports"), *items(legacy, "ports")]
        ports = {port for pair in (*_USUAL, *_OF_DEMO * (subject.setting("profile") == "demo")) for port in pair}
        ports |= {port for one in said for port in (number(one, "port"), number(one, "targetPort")) if port}
        space = text(gateway, "namespace") or subject.home
        own = mapping(gateway, "label")
        yield Pods(tuple({**one, **own} for one in labels), space, frozenset(ports), True)


def _own(subject: Subject) -> Iterator[Pods]:
    services = Leading(subject)
    for obj, template in workloads(subject):
        labels, space = mapping(template, "metadata", "labels"), space_of(obj)
        ports = {port for one in services.to(space, labels) for port in _ports(one)}
        yield Pods((labels,), space, frozenset(ports), False)


def _ports(service: KubernetesObject) -> Iterator[int]:
    for port in items(service, "spec", "ports"):
        yield from (one for one in (number(port, "port"), number(port, "targetPort")) if one)


def _unopened(subject: Subject) -> Iterator[Breach]:
    pods = [] if _is_patched(subject) else gateway_pods(subject)
    for gateway in subject.of("Gateway", NETWORKING):
        selector = mapping(gateway, "spec", "selector")
        serving = [one for one in pods if one.are_of(selector)] if selector else []
        opened = {port for one in serving for port in one.ports}
        # Pods without any Service in the tree may have one elsewhere.
        known = bool(serving) and all(one.ports for one in serving)
        for index, server in enumerate(items(gateway, "spec", "servers")):
            port = number(server, "port", "number")
            if port and known and port not in opened:
                what = f"port {port} is open on no Service of the pods that it selects ({_labels(selector)})"
                hint = f"add the port to the gateway's Service, or take one of {', '.join(map(str, sorted(opened)))}"
                yield of_object(subject, gateway, what, hint, ("spec", "servers", index, "port", "number"))


def _is_patched(subject: Subject) -> bool:
    """Whether overlays or unvalidated values may change the ports of Istio's gateways."""
    if mapping(subject.setting("unvalidatedValues"), "gateways"):
        return True
    return any(mapping(gateway, "k8s").get("overlays") for _, gateway in subject.gateways)


def _missing(subject: Subject) -> Iterator[Breach]:
    if any(True for kind, group in INSTALLERS for _ in subject.of(kind, group)):
        return
    pods, secrets = gateway_pods(subject), _secrets(subject)
    for gateway in subject.of("Gateway", NETWORKING):
        selector = mapping(gateway, "spec", "selector")
        # Those of the Gateway API are made as they are asked for.
        if not selector or any(str(key).endswith("/gateway-name") for key in selector):
            continue
        serving = [one for one in pods if one.are_of(selector)]
        if serving:
            yield from _without_secret(subject, gateway, {one.namespace for one in serving}, secrets)
        elif subject.gateways:
            what = f"no gateway of the mesh and no workload of the tree has its labels: {_labels(selector)}"
            labels = [_labels({"istio": one.labels[-1]["istio"]}) for one in pods if one.installed]
            yield of_object(subject, gateway, what, f"select {' or '.join(labels)}, or install that gateway too")


def _secrets(subject: Subject) -> set[tuple[str, str]]:
    """(namespace, name) of the Secrets that the tree has, or has made."""
    found = {(space_of(one), one["metadata"]["name"]) for one in subject.of("Secret")}
    found |= {(space_of(one), one["metadata"]["name"]) for one in subject.of("SealedSecret", "bitnami.com")}
    found |= {(space_of(one), text(one, "spec", "secretName")) for one in subject.of("Certificate", "cert-manager.io")}
    external = subject.of("ExternalSecret", "external-secrets.io")
    return found | {(space_of(one), text(one, "spec", "target", "name") or one["metadata"]["name"]) for one in external}


def _without_secret(
    subject: Subject, gateway: KubernetesObject, spaces: set[str], secrets: set[tuple[str, str]]
) -> Iterator[Breach]:
    for index, server in enumerate(items(gateway, "spec", "servers")):
        name = text(server, "tls", "credentialName")
        # Only where the tree keeps the certificates of gateways at all: most are made on the cluster.
        kept = any((space, one) in secrets for space in spaces for one in _credentials(subject))
        if name and "://" not in name and kept and not any((space, name) in secrets for space in spaces):
            where = " and ".join(sorted(spaces))
            what = f"credentialName {plain(name)} is no Secret of namespace {plain(where)}, where its pods are"
            hint = "add the Secret there, beside the other certificates, or correct the name"
            yield of_object(subject, gateway, what, hint, ("spec", "servers", index, "tls", "credentialName"))


def _credentials(subject: Subject) -> set[str]:
    return {
        text(server, "tls", "credentialName")
        for gateway in subject.of("Gateway", NETWORKING)
        for server in items(gateway, "spec", "servers")
    }


def _labels(selector: Map) -> str:
    return plain(", ".join(f"{key}: {value}" for key, value in selector.items()))


RULES = (
    Rule("MG576", "warning", "A Gateway's port that nothing opens", _unopened),
    Rule("MG577", "info", "A Gateway without its pods or its certificate", _missing),
)
