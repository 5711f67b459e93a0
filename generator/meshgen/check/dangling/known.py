"""What a tree has in each namespace, and where that is all there is."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from meshgen.build.stage import KubernetesObject, Remark
from meshgen.check.refused.refusal import Path
from meshgen.order.sources import makes_unseen
from meshgen.order.thing import group_of
from meshgen.policy.reading import Map, mapping
from meshgen.policy.rule import of_object
from meshgen.policy.selectors import pods
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.workloads import workloads
from meshgen.sops import is_encrypted

# Where every cluster has more than a tree brings.
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
# Other projects' groups, and kinds of them, that make no pods; a dot in the group tells theirs from Kubernetes' own.
_HARMLESS = (".k8s.io", ".istio.io", "cert-manager.io", "external-secrets.io", "bitnami.com", "keda.sh")
_HARMLESS_KINDS = frozenset(
    {"ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe", "ScrapeConfig", "AlertmanagerConfig", "AppProject"}
)
# Labels that Kubernetes and istiod give to pods themselves.
_ADDED = (
    *("statefulset.kubernetes.io/", "apps.kubernetes.io/", "batch.kubernetes.io/"),
    *("job-name", "controller-", "pod-template-hash"),
)
_OF_ISTIO = "istio.io/"
# These make pods all the same: istiod for a Gateway, and an older controller of Kubernetes.
_MAKERS = frozenset({("gateway.networking.k8s.io", "Gateway"), ("", "ReplicationController")})
# What installs more than a tree shows, into any namespace.
_INSTALLERS = frozenset({"HelmChart", "IstioOperator"})


class Known:
    """The user's own objects by namespace; in those that are `apart`, others install what the tree asks for."""

    def __init__(self, subject: Subject, apart: frozenset[str]) -> None:
        self.subject = subject
        self._apart = apart | {subject.home, subject.root_namespace} | _SYSTEM

    def is_whole(self, space: str) -> bool:
        """Whether what the tree has in a namespace is probably all that matters there: it runs something there."""
        return space in self.templates and space not in self._apart and space not in self._made_elsewhere

    def absence(self, obj: KubernetesObject, what: str, hint: str, at: Path) -> Remark:
        """A remark on what the tree lacks: an info in a namespace that others made, and may have filled too."""
        made = {one["metadata"]["name"] for one in self.subject.of("Namespace")}
        breach = of_object(self.subject, obj, what, hint, at)
        return breach.remark("MG426", "warning") if space_of(obj) in made else breach.remark("MG426", "info")

    def mismatch(self, obj: KubernetesObject, what: str, hint: str, at: Path) -> Remark:
        """A remark on two things that the tree has, and that don't fit."""
        return of_object(self.subject, obj, what, hint, at).remark("MG426", "warning")

    @cached_property
    def templates(self) -> dict[str, list[tuple[KubernetesObject, Map]]]:
        """Everything that makes pods, by namespace, with the template."""
        found: dict[str, list[tuple[KubernetesObject, Map]]] = defaultdict(list)
        for obj, template in workloads(self.subject):
            if is_encrypted(obj):
                continue
            found[space_of(obj)].append((obj, template))
        return dict(found)

    @cached_property
    def labels(self) -> dict[str, list[Map]]:
        """The labels of everything that runs, by namespace, virtual machines among it."""
        return {space: [labels for _, labels in running] for space, running in pods(self.subject).items()}

    def may_run(self, space: str, selector: Map) -> bool:
        """Whether something in a namespace has a selector's labels, or may come to have them once it runs.

        Controllers and agents add labels to pods, as that of a leader: keys that a template lacks count if others fit.
        """
        if any(str(key).startswith(_ADDED) or _OF_ISTIO in str(key) for key in selector):
            return True
        return any(_fits(selector, labels) for labels in self.labels.get(space, ()))

    def named(self, kind: str, group: str, space: str) -> dict[str, KubernetesObject]:
        """The objects of a kind in a namespace by their names."""
        return {one["metadata"]["name"]: one for one in self.subject.of(kind, group) if space_of(one) == space}

    @cached_property
    def _made_elsewhere(self) -> frozenset[str]:
        """Namespaces where something of the tree makes pods that it does not show."""
        own = self.subject.own
        if any(makes_unseen(obj) or obj["kind"] in _INSTALLERS for obj in own):
            return frozenset(self.templates)
        return frozenset(space_of(obj) for obj in own if _makes_pods(obj))


def _fits(selector: Map, labels: Map) -> bool:
    said = [labels[key] == value for key, value in selector.items() if key in labels]
    return bool(said) and all(said)


def _makes_pods(obj: KubernetesObject) -> bool:
    """Whether an object may make pods that nobody sees here: a kind that is not known, or what SOPS encrypts."""
    group, kind = group_of(obj), obj["kind"]
    if (group, kind) in _MAKERS or (is_encrypted(obj) and kind != "Secret"):
        return True
    known = "." not in group or group.endswith(_HARMLESS) or kind in _HARMLESS_KINDS
    return not known and bool(mapping(obj, "spec"))
