"""A real API server that is asked what it thinks of an object, with strict field validation; nothing is kept."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.apiserver import APIServer

Object = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the server says of an object; `causes` are (field, reason) of what is wrong, as far as it tells them."""

    accepted: bool
    message: str
    causes: frozenset[tuple[str, str]]


class StrictServer:
    """One connection to an API server: kubectl would take a process for each object."""

    def __init__(self, server: APIServer) -> None:
        config = json.loads(server.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        # The certificate that it makes for itself names no loopback address.
        context.check_hostname = False
        self._connection = http.client.HTTPSConnection(urlsplit(cluster["server"]).netloc, context=context)
        self._token = config["users"][0]["user"]["token"]
        self._kinds: dict[str, dict[str, Object]] = {}

    def install(self, crds: Iterable[Object]) -> None:
        """Create CRDs, and wait until their kinds are served."""
        crds = list(crds)
        for crd in crds:
            status, answer = self._ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
            assert status == 201, answer["message"]
        end = time.monotonic() + 60
        for crd in crds:
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}"
            while not _is_established(self._ask("GET", path)[1]):
                assert time.monotonic() < end, path
                time.sleep(0.2)
        # Each group's discovery and handlers follow shortly after.
        time.sleep(3)

    def serves(self, api_version: str, kind: str) -> bool:
        """Say whether objects of a kind can be created."""
        return "create" in self._kind(api_version, kind).get("verbs", ())

    def judge(self, obj: Object) -> Verdict:
        """Give the verdict on an object in the namespace `default`."""
        found = self._kind(obj["apiVersion"], obj["kind"])
        place = "/namespaces/default" if found["namespaced"] else ""
        path = f"{_root(obj['apiVersion'])}{place}/{found['name']}?dryRun=All&fieldValidation=Strict"
        status, answer = self._ask("POST", path, obj)
        causes = (answer.get("details") or {}).get("causes", []) if status >= 300 else []
        told = frozenset((one.get("field", ""), one.get("reason", "")) for one in causes)
        return Verdict(status < 300, answer.get("message", ""), told)

    def _kind(self, api_version: str, kind: str) -> Object:
        if api_version not in self._kinds:
            _, answer = self._ask("GET", _root(api_version))
            listed = [one for one in answer.get("resources", []) if "/" not in one["name"]]
            self._kinds[api_version] = {one["kind"]: one for one in listed}
        return self._kinds[api_version].get(kind, {})

    def _ask(self, method: str, path: str, body: Object | None = None) -> tuple[int, Object]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text[:1] == b"{" else {"message": text.decode()}


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _is_established(crd: Object) -> bool:
    conditions = crd.get("status", {}).get("conditions", [])
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
