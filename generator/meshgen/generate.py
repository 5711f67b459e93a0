"""`install: manifests`: asks istioctl for the objects of every IstioOperator that a mesh needs, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.istiooperator import install_method
from meshgen.build.manifests import generated_key
from meshgen.build.stage import KubernetesObject, Memory, Remark
from meshgen.build.stages import istioctl_input
from meshgen.istioctl import Generated, Refusal, find, generate


@dataclass(frozen=True)
class Answers:
    """What istioctl made, and what it said, by `generated_key`; `remarks` point into settings."""

    objects: Mapping[str, tuple[KubernetesObject, ...]]
    remarks: Mapping[str, tuple[Remark, ...]]

    def of(self, mesh: str, settings: dict[str, Any], clouds: tuple[str, ...], memory: Memory) -> tuple[Remark, ...]:
        """What istioctl said of these settings."""
        if not self.remarks or install_method(settings["istio"]) != "manifests":
            return ()
        resource = istioctl_input(mesh, settings, clouds, memory)
        return self.remarks[generated_key(settings["istio"]["version"], resource)]


def generate_all(mesh: str, parts: Iterable[tuple[dict[str, Any], tuple[str, ...]]], memory: Memory) -> Answers:
    """Ask for all parts (settings and clouds) whose method is `manifests`; without any, no istioctl is needed.

    Raises EnvironmentFailure where no istioctl of a version can be had.
    """
    inputs: dict[str, dict[str, KubernetesObject]] = {}
    for settings, clouds in parts:
        if install_method(settings["istio"]) == "manifests":
            resource = istioctl_input(mesh, settings, clouds, memory)
            version = settings["istio"]["version"]
            inputs.setdefault(version, {})[generated_key(version, resource)] = resource
    objects: dict[str, tuple[KubernetesObject, ...]] = {}
    remarks: dict[str, tuple[Remark, ...]] = {}
    for version, wanted in inputs.items():
        istioctl = find(version)
        for key, answer in zip(wanted, generate(istioctl, list(wanted.values())), strict=True):
            remarks[key] = (*_development(istioctl.version, version), *_said(answer))
            if isinstance(answer, Generated):
                objects[key] = answer.objects
    return Answers(objects, remarks)


def _development(found: str, version: str) -> Iterable[Remark]:
    if found != version:
        message = f"istio.version: istioctl is {found}, a development build: {version} may render otherwise"
        yield Remark("MG408", message, "/istio/version", f"put istioctl {version} on PATH", "warning")


def _said(answer: Generated | Refusal) -> Iterable[Remark]:
    if isinstance(answer, Refusal):
        at = answer.pointer.replace("/spec", "/istio", 1)
        yield Remark("MG409", f"istioctl refuses it: {answer.message}", at, "change what it names", at_key=True)
        return
    for warning in answer.warnings:
        yield Remark("MG410", f"istioctl warns: {warning}", "/istio", severity="warning", at_key=True)
