"""Finds image policies that move nothing, because no cluster that has one runs its image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from meshgen.build.imagepolicies import policy_pointer, references
from meshgen.build.stage import Memory, Remark, Stage
from meshgen.build.stages import Built
from meshgen.config.resolve import Cluster


def unrun_remarks(clusters: Sequence[tuple[Cluster, Built]], memory: Memory) -> Iterator[tuple[Cluster, Remark]]:
    """What is wrong with the policies of a fleet; one that some clusters need may stand where all have it."""
    policies = [(cluster, built, _policies(cluster)) for cluster, built in clusters]
    run = {
        one
        for _, built, asked in policies
        if asked
        for stage in built.stages
        for one in asked.items()
        if one[0] in memory.recall(_run, stage)
    }
    for cluster, _, asked in policies:
        for name, policy in asked.items():
            if (name, policy) not in run:
                yield cluster, _unrun(name)


def _policies(cluster: Cluster) -> Mapping[str, str]:
    flux = (cluster.settings.get("delivery") or {}).get("flux") or {}
    return flux.get("imagePolicies") or {}


def _run(stage: Stage) -> frozenset[str]:
    """The names of the images of a stage that Kustomize reaches."""
    return frozenset(references(stage.objects))


def _unrun(name: str) -> Remark:
    message = f"delivery.flux.imagePolicies: no container runs {name}, so there is nothing for Flux to move"
    hint = "write the image as `meshgen images` has it, without its tag; what a chart installs Flux can't mark"
    return Remark("MG439", message, policy_pointer(name), hint, "warning", at_key=True)
