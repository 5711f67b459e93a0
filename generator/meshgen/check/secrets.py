"""Secrets never in the clear: what the user's own manifests hold of them, and who decrypts what is encrypted."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from meshgen.build.stage import KubernetesObject, Memory, Remark, Stage
from meshgen.check.encrypted import encrypted_remarks, stray_ciphertext
from meshgen.config.creationrules import CreationRules
from meshgen.config.document import Document
from meshgen.sops import is_ciphertext, is_encrypted
from meshgen.yaml import pointer

# By these Flux finds a file of SOPS within a value of a Secret (internal/decryptor in fluxcd/kustomize-controller).
_MARKS = (b"mac: ENC[", b'"mac": "ENC[', b"sops_mac=ENC[", b"[sops]")


def secret_remarks(obj: KubernetesObject, document: Document, rules: CreationRules | None) -> Iterator[Remark]:
    """What is wrong with how a manifest of the user's own keeps its secrets; pointers lead into that manifest."""
    found = list(encrypted_remarks(obj) if is_encrypted(obj) else stray_ciphertext(obj))
    if not found and (clear := _clear(obj)):
        found = [_in_the_clear(obj, clear, document, rules)]
    yield from (replace(one, document=document) for one in found)


def _clear(obj: KubernetesObject) -> list[tuple[str, str]]:
    """Where a Secret holds values that anyone could read."""
    if (obj["apiVersion"], obj["kind"]) != ("v1", "Secret"):
        return []
    return [
        (part, key)
        for part in ("data", "stringData")
        for key, value in (obj[part].items() if isinstance(obj.get(part), dict) else ())
        if value not in (None, "") and not is_ciphertext(value) and not _holds_encrypted_file(part, value)
    ]


def _holds_encrypted_file(part: str, value: Any) -> bool:
    if part != "data" or not isinstance(value, str):
        return False
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(mark in data for mark in _MARKS)


def _in_the_clear(
    obj: KubernetesObject, clear: list[tuple[str, str]], document: Document, rules: CreationRules | None
) -> Remark:
    name, at = f"Secret {obj['metadata']['name']}", f"/{clear[0][0]}"
    if is_encrypted(obj):
        named = ".".join(clear[0])
        message = f"{name}: {named} would stand in the tree in the clear: its `sops` leaves it so"
        hint = "encrypt it too: sops encrypt --encrypted-regex '^(data|stringData)$'"
        return Remark("MG503", message, pointer(clear[0]), hint, "warning", at_key=True)
    rule = rules and rules.rule_for(document.file)
    if rules and rule:
        message = f"{name} stands in the clear, though by {rules.document.where(rule)} its file is to be encrypted"
        hint = f"sops encrypt --in-place {shlex.quote(document.file)}; change what was in Git already"
        return Remark("MG457", message, at, hint, at_key=True)
    hint = "encrypt it with SOPS, or take it out and make it on the cluster or by an operator for secrets"
    if rules:
        hint = f"add a rule to {rules.document.file} that takes {document.file}, and encrypt it; or take it out"
    return Remark("MG503", f"{name} would stand in the tree in the clear", at, hint, "warning", at_key=True)


def decryption_remarks(settings: dict[str, Any], stages: tuple[Stage, ...], memory: Memory) -> Iterator[Remark]:
    """Encrypted objects of a cluster that nothing would decrypt; pointers lead into its settings."""
    encrypted = [name for stage in stages for name in memory.recall(_encrypted, stage)]
    if not encrypted:
        return
    what = encrypted[0] if len(encrypted) == 1 else f"{encrypted[0]} and {len(encrypted) - 1} more"
    verb = "is" if len(encrypted) == 1 else "are"
    delivery = settings.get("delivery") or {}
    flux, argocd = delivery.get("flux"), delivery.get("argocd")
    if flux and flux.get("decryption") is None:
        message = f"delivery.flux: {what} {verb} encrypted by SOPS: not told to decrypt, Flux applies the ciphertext"
        hint = "say delivery.flux.decryption: {secretRef: NAME}, a Secret beside Flux's objects with the private key"
        yield Remark("MG453", message, "/delivery/flux", hint, at_key=True)
    if argocd:
        message = f"delivery.argocd: {what} {verb} encrypted by SOPS, and Argo CD decrypts nothing by itself"
        hint = "make it by an ExternalSecret or a SealedSecret; or suppress this, where a plugin of yours decrypts"
        yield Remark("MG454", message, "/delivery/argocd", hint, "warning", at_key=True)
    if not flux and not argocd:
        message = f"{what} {verb} encrypted by SOPS: `kubectl apply` would send the ciphertext"
        hint = "decrypt on the way: sops decrypt FILE | kubectl apply -f -; or say delivery.flux, which decrypts"
        at = "/resources" if settings.get("resources") else "/addons"
        yield Remark("MG455", message, at, hint, "warning", at_key=True)


def _encrypted(stage: Stage) -> tuple[str, ...]:
    return tuple(_name(obj) for obj in stage.objects if is_encrypted(obj))


def _name(obj: KubernetesObject) -> str:
    namespace = obj["metadata"].get("namespace")
    return f"{obj['kind']} {obj['metadata']['name']}" + (f" in {namespace}" if namespace else "")
