"""Objects as SOPS leaves them, made by hand: their ciphertext is of the right form and nobody's secret."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
KEY = "-----BEGIN AGE ENCRYPTED FILE-----\nbm90aGluZw==\n-----END AGE ENCRYPTED FILE-----\n"


def ciphertext(data: str = "AAAA", sort: str = "str") -> str:
    return f"ENC[AES256_GCM,data:{data},iv:QUFB,tag:QkJC,type:{sort}]"


def metadata(**keys: Any) -> Object:
    """What SOPS writes under `sops`; a None takes a key away."""
    said = {
        "age": [{"enc": KEY, "recipient": "age1recipient"}],
        "encrypted_regex": "^(data|stringData)$",
        "lastmodified": "2026-11-25T04:37:20Z",
        "mac": ciphertext("TUFD"),
        "version": "3.13.3",
        **keys,
    }
    return {key: value for key, value in said.items() if value is not None}


def secret(values: Object, name: str = "grafana", sops: Object | None = None, part: str = "stringData") -> Object:
    """A Secret that SOPS encrypted."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "istio-system"},
        "type": "Opaque",
        part: values,
        "sops": metadata() if sops is None else sops,
    }


def plain(values: Object, name: str = "grafana", part: str = "stringData") -> Object:
    """A Secret in the clear."""
    return {key: value for key, value in secret(values, name, part=part).items() if key != "sops"}
