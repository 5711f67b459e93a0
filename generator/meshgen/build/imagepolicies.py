"""Which images of a stage Flux's image automation moves, by `delivery.flux.imagePolicies`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from meshgen.build.containerimages import container_images
from meshgen.build.stage import Memory, Remark, Stage
from meshgen.imagemarks import MarkedImage, Reference
from meshgen.yaml import pointer

# What Kustomize's `images` reaches.
_CHANGED = ("containers", "initContainers")


def mark_images(
    stages: Sequence[Stage], delivery: dict[str, Any], memory: Memory
) -> tuple[tuple[Stage, ...], tuple[Remark, ...]]:
    """The stages with their images that a policy moves, and what is wrong with the policies."""
    policies = (delivery.get("flux") or {}).get("imagePolicies")
    if not policies:
        return tuple(stages), ()
    made = [memory.recall(_marked, stage, policies) for stage in stages]
    return tuple(stage for stage, _ in made), tuple(remark for _, remarks in made for remark in remarks)


def references(objects: Sequence[Any]) -> dict[str, set[Reference]]:
    """Where the containers of objects stand, by the image's name; only those containers that Kustomize changes."""
    found: dict[str, set[Reference]] = {}
    for image in container_images(objects, _CHANGED):
        name, reference = _split(image)
        found.setdefault(name, set()).add(reference)
    return found


def meets_others(name: str, there: Mapping[str, set[Reference]]) -> bool:
    """Whether Kustomize, to which a name is a regular expression, takes another of these images for the one named."""
    met = re.compile(rf"{name}(:[\w.-]*)?(@sha256:[\w.-]*)?", re.ASCII)
    others = (_image(other, place) for other, found in there.items() if other != name for place in found)
    return any(map(met.fullmatch, others))


def _marked(stage: Stage, policies: Mapping[str, str]) -> tuple[Stage, tuple[Remark, ...]]:
    images, remarks = [], []
    there = references(stage.objects)
    for name, policy in sorted(policies.items()):
        places = there.get(name, set())
        if len(places) > 1 or (None, None) in places:
            remarks.append(_unmarkable(name, places, stage.name))
            continue
        literal = meets_others(name, there)
        images += [MarkedImage(name, tag, digest, policy, literal) for tag, digest in places]
    return (replace(stage, images=tuple(images)) if images else stage), tuple(remarks)


def _split(image: str) -> tuple[str, Reference]:
    name, _, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    # A colon before the last slash belongs to the registry's port.
    name, tag = (head, tag) if colon and "/" not in tag else (name, "")
    return name, (tag or None, digest or None)


def _image(name: str, place: Reference) -> str:
    tag, digest = place
    return f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"


def _unmarkable(name: str, places: set[Reference], stage: str) -> Remark:
    if (None, None) in places:
        what, hint = f"has no tag in the stage {stage}", "give it one, for the time until Flux has found another"
    else:
        tags = ", ".join(sorted(":".join(filter(None, place)) for place in places))
        what = f"has several tags in the stage {stage} ({tags}), and a policy moves all containers to one"
        hint = "give them the same tag"
    message = f"delivery.flux.imagePolicies: {name} {what}"
    return Remark("MG438", message, policy_pointer(name), hint, at_key=True)


def policy_pointer(name: str) -> str:
    """Where an image's policy stands in the settings."""
    return pointer(["delivery", "flux", "imagePolicies", name])
