"""The object that a question is about: how it is named, and how it is found again in another build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshgen.build.stages import Built
from meshgen.config.problems import guess
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.layout.identity import Identity, identity

KubernetesObject = dict[str, Any]
_NAMED = ("Namespace", "IstioOperator")


@dataclass(frozen=True)
class Target:
    """An object of a cluster; its stage is None where nothing applies it (istioctl's input)."""

    stage: str | None
    object: KubernetesObject

    @property
    def name(self) -> str:
        """Its kind, name and namespace, as a question names it."""
        who = identity(self.object)
        return f"{who.kind}/{who.name}" + (f".{who.namespace}" if who.namespace else "")

    def again(self, before: Built, built: Built) -> KubernetesObject | None:
        """The same object in another build of the cluster, also where a setting renamed or moved it; None if gone.

        A setting gives the names of namespaces and of the IstioOperator: if one went and another came, it was renamed.
        """
        old, new = self._of_kind(before), self._of_kind(built)
        who = identity(self.object).registered
        if who in new:
            return new[who]
        gone = [one for one in old if one not in new]
        come = [one for one in new if one not in old]
        namesakes = [one for one in come if one.name == who.name]
        renamed = come if who.kind in _NAMED and gone in ([who], []) else []
        return next((new[found[0]] for found in (namesakes, renamed) if len(found) == 1), None)

    def _of_kind(self, built: Built) -> dict[Identity, KubernetesObject]:
        kind = identity(self.object)[:3:2]
        found = ((identity(one.object), one.object) for one in everything(built))
        return {who.registered: obj for who, obj in found if who[:3:2] == kind}


def everything(built: Built) -> Iterator[Target]:
    """Every object of a cluster, in the order in which they are applied."""
    for stage in built.stages:
        yield from (Target(stage.name, obj) for obj in stage.objects)
    if built.istioctl_input is not None:
        yield Target(None, built.istioctl_input)


def select(built: Built, selector: str) -> Target | None:
    """The object that KIND/NAME or KIND/NAME.NAMESPACE means, in any case; None where there is none.

    Raises InputError where several are meant.
    """
    found = [one for one in everything(built) if _is_called(one, selector)]
    if len(found) > 1:
        hint = "say one of " + ", ".join(one.name for one in found[:12])
        raise InputError([Finding("MG701", "error", f"{selector} means {len(found)} objects", hint=hint)])
    return found[0] if found else None


def _is_called(target: Target, selector: str) -> bool:
    kind, _, name = selector.lower().partition("/")
    who = identity(target.object)
    names = (who.name.lower(), f"{who.name}.{who.namespace}".lower())
    return who.kind.lower() == kind and name in names


def unmatched(selector: str, builds: Sequence[Built]) -> Finding:
    """What is wrong with a selector that means nothing in any of these builds."""
    kind, slash, name = selector.partition("/")
    objects = [one.object for built in builds for one in everything(built)]
    kinds = sorted({obj["kind"] for obj in objects})
    names = sorted({obj["metadata"]["name"] for obj in objects if obj["kind"].lower() == kind.lower()})
    named = sorted({obj["kind"] for obj in objects if obj["metadata"]["name"] == selector})
    if named:
        hint: str | None = f"say its kind before its name: {named[-1]}/{selector}"
    elif names:
        hint = guess(name.partition(".")[0], names) if slash and name else f"say which: {kind}/{names[0]}"
    else:
        hint = guess(kind, kinds)
    return Finding("MG701", "error", f"no object matches {selector}", hint=hint)
