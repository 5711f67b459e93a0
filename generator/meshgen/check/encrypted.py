"""What is wrong with an object that SOPS encrypted: no more than its words say, for nothing is decrypted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import KubernetesObject, Remark
from meshgen.sops import METADATA, Path, Value, depends_on_comments, is_ciphertext, missing, values
from meshgen.yaml import pointer

_ENCRYPT = "encrypt it anew from its plain text: sops encrypt --encrypted-regex '^(data|stringData)$'"
# What kustomize and Kubernetes have to read to know what an object is.
_HEAD = ("apiVersion", "kind", "metadata")


def encrypted_remarks(obj: KubernetesObject) -> Iterator[Remark]:
    """What keeps an encrypted object from being decrypted, or leaves a part of it in the clear."""
    if any(is_ciphertext(text) for text in _texts({key: obj[key] for key in _HEAD})):
        message = "apiVersion, kind and metadata are encrypted: neither kustomize nor Kubernetes knows what this is"
        yield Remark("MG452", message, "/metadata", _ENCRYPT, at_key=True)
        return
    metadata, name = obj[METADATA], f"{obj['kind']} {obj['metadata']['name']}"
    if lacking := missing(metadata):
        message = f"{name}: SOPS can't decrypt it, its `sops` has no {' and no '.join(lacking)}"
        yield Remark("MG451", message, "/sops", "take the whole of what `sops encrypt` wrote", at_key=True)
    if depends_on_comments(metadata):
        message = f"{name}: comments say what is encrypted in it, and kustomize drops them"
        key = next(key for key in metadata if str(key).endswith("_comment_regex"))
        yield Remark("MG452", message, f"/sops/{key}", _ENCRYPT, at_key=True)
    yield from _in_part(name, list(values(obj)))


def _in_part(name: str, found: list[Value]) -> Iterator[Remark]:
    clear = [one.path for one in found if one.covered and not is_ciphertext(one.value)]
    if clear:
        message = f"{name}: its `sops` covers {_listed(clear)}, left in the clear"
        hint = "take the file as it was and change it by `sops edit`; change what Git has seen in the clear"
        yield Remark("MG450", message, pointer(clear[0]), hint, at_key=True)
    stray = [one.path for one in found if not one.covered and is_ciphertext(one.value)]
    if stray:
        message = f"{name}: its `sops` does not cover {_listed(stray)}: nothing would decrypt that ciphertext"
        yield Remark("MG450", message, pointer(stray[0]), _ENCRYPT, at_key=True)


def _listed(paths: list[Path]) -> str:
    """Where values stand; no value is said."""
    names = [".".join(str(part) for part in path) for path in paths[:3]]
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{', '.join(names)}{more}"


def stray_ciphertext(obj: KubernetesObject) -> Iterator[Remark]:
    """Ciphertext in an object without SOPS' metadata, which nothing decrypts."""
    found = next(_ciphertexts(obj, ()), None)
    if found is not None:
        name = f"{obj['kind']} {obj['metadata']['name']}"
        message = f"{name}: {_listed([found])} is ciphertext of SOPS, and without its `sops` nothing decrypts it"
        hint = "keep each encrypted object as a document of its own, as `sops encrypt` writes it"
        yield Remark("MG451", message, pointer(found), hint, at_key=True)


def _ciphertexts(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _ciphertexts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _ciphertexts(item, (*path, index))
    elif isinstance(value, str) and value.startswith("ENC[") and is_ciphertext(value):
        yield path


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
