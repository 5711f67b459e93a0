"""How each engine applies stages: what it makes of an object that needs what is not there yet.

All wait for a stage before they begin the next. Within one they differ. Flux (kustomize-controller, fluxcd/pkg/ssa)
applies Namespaces, CRDs and ClusterRoles, then classes, and then all else, which it first tries without keeping it
(dry run), and at the end waits until all is healthy. Argo CD (gitops-engine) goes by phases of hooks, waves, and kinds;
it moves a Namespace or CRD before what needs it, and tries a failed sync again, ten times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from meshgen.build.stage import KubernetesObject
from meshgen.order.thing import KIND, Need, Source, group_of
from meshgen.policy.reading import mapping, number, text

# What comes of it: stuck for good, stuck unless the cluster has it from somewhere else, or settled by trying again.
Verdict = Literal["never", "perhaps", "late"]
_DEFINITIONS = frozenset({"Namespace", "CustomResourceDefinition"})
_SKIPS = "SkipDryRunOnMissingResource=true"
_PHASES = {"PreSync": 0, "Sync": 1, "PostSync": 2}
_HELM_PHASES = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
}


@dataclass(frozen=True)
class Engine:
    """An engine by its name, and its verdict on (needer, the needer's stage, its need, what brings it)."""

    name: str
    verdict: Callable[[KubernetesObject, int, Need, Source], Verdict | None]


def engines_of(delivery: dict[str, Any]) -> tuple[Engine, ...]:
    """The engines that apply a cluster; kubectl, by hand, where `delivery` names none."""
    named = tuple(engine for key, engine in (("flux", FLUX), ("argocd", ARGOCD)) if delivery.get(key))
    return named or (KUBECTL,)


def _by_flux(obj: KubernetesObject, stage: int, need: Need, source: Source) -> Verdict | None:
    if source.stage != stage:
        return "never" if source.stage > stage else None
    if need.purpose != "taken":
        return None
    if source.runs:
        return "never" if source.sure else "perhaps"
    # An object that is tried before anything of its rank is applied.
    before = source.by is not None and _rank(source.by) < _rank(obj)
    return None if before else "never"


def _rank(obj: KubernetesObject) -> int:
    if obj["kind"] in _DEFINITIONS or obj["kind"] == "ClusterRole":
        return 0
    return 1 if obj["kind"].endswith("Class") else 2


def _by_argocd(obj: KubernetesObject, stage: int, need: Need, source: Source) -> Verdict | None:
    if source.stage != stage:
        return "never" if source.stage > stage else None
    if need.thing.kind in (KIND, "Namespace") and not source.runs:
        return None
    if source.by is not None and argocd_step(source.by) > argocd_step(obj):
        return "never"
    if need.purpose != "taken" or not source.runs:
        return None
    if need.thing.kind != KIND or _skips_dry_run(obj):
        return "late"
    return "never" if source.sure else "perhaps"


def _skips_dry_run(obj: KubernetesObject) -> bool:
    options = text(obj, "metadata", "annotations", "argocd.argoproj.io/sync-options")
    return _SKIPS in [option.strip() for option in options.split(",")]


def argocd_step(obj: KubernetesObject) -> tuple[int, int]:
    """The phase and the wave in which Argo CD applies an object within its Application."""
    annotations = mapping(obj, "metadata", "annotations")
    hooks = [word.strip() for word in text(annotations, "argocd.argoproj.io/hook").split(",")]
    theirs = [_HELM_PHASES.get(word.strip(), "") for word in text(annotations, "helm.sh/hook").split(",")]
    # One of several phases is the first.
    phase = min((_PHASES[word] for word in (*hooks, *theirs) if word in _PHASES), default=1)
    wave = number(annotations, "argocd.argoproj.io/sync-wave")
    weight = number(annotations, "helm.sh/hook-weight") if any(theirs) else None
    return phase, wave if wave is not None else weight or 0


def _by_kubectl(obj: KubernetesObject, stage: int, need: Need, source: Source) -> Verdict | None:
    # Nobody waits: what is not ready yet will be, and what was refused is taken by a second apply.
    if need.purpose != "taken" or source.stage < stage:
        return None
    if source.stage > stage or source.runs:
        return "late"
    # kubectl asks for all kinds before it makes the first CRD; Namespaces come first.
    return "late" if need.thing.kind == KIND and "." in group_of(obj) else None


FLUX = Engine("Flux", _by_flux)
ARGOCD = Engine("Argo CD", _by_argocd)
KUBECTL = Engine("kubectl", _by_kubectl)
