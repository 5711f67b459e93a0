"""What SOPS says of an object that it encrypted: which values it covers, and by which keys. Nothing is decrypted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KubernetesObject = dict[str, Any]
Path = tuple[str | int, ...]

# The metadata that SOPS leaves beside what it encrypts.
METADATA = "sops"
# Every kind of key that SOPS encrypts the data key with (stores/stores.go in getsops/sops).
KEYS = ("age", "pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms")
CIPHERTEXT = re.compile(r"ENC\[AES256_GCM,data:[^,\]]*,iv:[^,\]]+,tag:[^,\]]+,type:[a-z]+\]")
# What SOPS leaves in the clear where no rule says otherwise.
_UNENCRYPTED = "_unencrypted"


def is_encrypted(obj: Mapping[str, Any]) -> bool:
    """Whether SOPS encrypted an object, in whole or in part."""
    return isinstance(obj.get(METADATA), dict)


def is_ciphertext(value: Any) -> bool:
    """Whether a value is what SOPS puts in the place of one that it encrypts."""
    return isinstance(value, str) and CIPHERTEXT.fullmatch(value) is not None


def is_key(path: Sequence[str | int]) -> bool:
    """Whether a path of an object leads to the data key, encrypted for one of those who may read it."""
    return len(path) > 2 and path[0] == METADATA and path[-1] == "enc"


@dataclass(frozen=True)
class Value:
    """A value of an encrypted object, and whether it has to be ciphertext by the rule that the object names."""

    path: Path
    value: Any
    covered: bool


def values(obj: KubernetesObject) -> Iterator[Value]:
    """Every value that SOPS would encrypt or leave, nothing where the object's rule can't be told from here."""
    covers = _rule(obj[METADATA])
    if covers is not None:
        rest = {key: value for key, value in obj.items() if key != METADATA}
        yield from (Value(path, value, covers(path)) for path, value in _leaves(rest, ()))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif value is not None and value != "":
        # What is empty SOPS leaves as it is.
        yield path, value


def _rule(metadata: Mapping[str, Any]) -> Callable[[Path], bool] | None:
    """Which paths SOPS encrypts; None where that can't be told. A key of a path decides for all below it."""
    if depends_on_comments(metadata):
        return None
    try:
        tests = {name: make(str(metadata[name])) for name, make in _TESTS.items() if metadata.get(name)}
    except re.error:
        # Go may read it all the same.
        return None
    tests = tests or {"unencrypted_suffix": _suffix(_UNENCRYPTED)}

    def covers(path: Path) -> bool:
        keys = [part for part in path if isinstance(part, str)]
        covered = True
        for name, test in tests.items():
            found = any(test(key) for key in keys)
            covered = found if name.startswith("encrypted") else covered and not found
        return covered

    return covers


def _suffix(suffix: str) -> Callable[[str], bool]:
    return lambda key: key.endswith(suffix)


def _regex(regex: str) -> Callable[[str], bool]:
    compiled = re.compile(regex)
    return lambda key: compiled.search(key) is not None


# In the order in which SOPS asks them: the last word holds (`shouldBeEncrypted` in sops.go).
_TESTS = {
    "unencrypted_suffix": _suffix,
    "encrypted_suffix": _suffix,
    "unencrypted_regex": _regex,
    "encrypted_regex": _regex,
}


def depends_on_comments(metadata: Mapping[str, Any]) -> bool:
    """Whether comments say what is encrypted: kustomize drops them."""
    return bool(metadata.get("encrypted_comment_regex") or metadata.get("unencrypted_comment_regex"))


def missing(metadata: Mapping[str, Any]) -> list[str]:
    """What SOPS would need to decrypt and is not there."""
    lacking = [key for key in ("mac", "lastmodified", "version") if not isinstance(metadata.get(key), str)]
    if "mac" not in lacking and not is_ciphertext(metadata["mac"]):
        lacking.insert(0, "mac")
    groups = metadata.get("key_groups")
    holders = [metadata, *(group for group in (groups if isinstance(groups, list) else ()) if isinstance(group, dict))]
    if not any(holder.get(key) for holder in holders for key in KEYS):
        lacking.append("key")
    return lacking
