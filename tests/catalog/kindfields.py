"""Writes `catalog/kinds-*.json`: every field of the kinds that a manifest can have, from the schemas of their projects.

    python -m tests.catalog.kindfields FOLDER

FOLDER holds `crd-all.gen.yaml` of each release of Istio that changed it, called as its tag: `1.11.0.yaml`. A release
candidate stands for its release. Kubernetes' schemas are those of the package kubernetes-validate; the words that a
field of them takes are only in what a real API server says of itself. The other CRDs are in ../shared/cases; of some
projects releases that Go's registry of modules has are taken too, and a kind is what any of them takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from meshgen import catalog
from meshgen.catalog import Version
from meshgen.catalog.openapi import Form, Schema, form, kind_form
from tests.apiserver import api_server
from tests.catalog.anyform import any_of
from tests.catalog.formsovertime import over_time, shared, shortened
from tests.catalog.sailcrds import filled

FACTS = Path(catalog.__file__).parent
CRDS = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "gitops-crds"
# The minors of Kubernetes whose schemas the package has.
MINORS = range(25, 38)


@dataclass(frozen=True)
class Project:
    """A project whose version no config says.

    `state` names what is known of it, as messages say it. `releases` are versions of a Go module that holds its CRDs in
    `folders`; the last state of them is in ../shared/cases.
    """

    state: str
    groups: tuple[str, ...]
    module: str = ""
    releases: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


# The files beside core and Istio, where each has all of a project's kinds that are known.
PROJECTS = {
    "argocd": Project("Argo CD 3.6", ("argoproj.io",)),
    "externalsecrets": Project(
        "External Secrets 0.16 to 2.9",
        ("external-secrets.io",),
        "github.com/external-secrets/external-secrets",
        ("v0.16.2", "v1.3.2"),
        ("config/crds/bases/external-secrets.io_externalsecrets.yaml",),
    ),
    "flux": Project(
        "Flux 2.9", tuple(f"{name}.toolkit.fluxcd.io" for name in ("helm", "kustomize", "notification", "source"))
    ),
    "gateway": Project(
        "Gateway API 0.5 to 1.7",
        ("gateway.networking.k8s.io",),
        "sigs.k8s.io/gateway-api",
        # The last patch of each minor, as far as the registry has it.
        tuple(f"v0.{rest}" for rest in ("5.1", "6.2", "7.1", "8.1"))
        + tuple(f"v1.{rest}" for rest in ("0.0", "1.0", "2.1", "3.0", "4.1", "5.1", "6.3", "7.0")),
        ("config/crd/standard/*.yaml", "config/crd/experimental/*.yaml"),
    ),
    "sail": Project("the Sail operator 1.31", ("sailoperator.io",)),
}
_WELL_KNOWN: dict[str, Schema] = {
    "Duration": {"type": "string"},
    "FieldsV1": {},
    "IntOrString": {"x-kubernetes-int-or-string": True},
    "MicroTime": {"type": "string", "format": "date-time"},
    "Quantity": {"type": "string", "format": "quantity"},
    "RawExtension": {},
    "Time": {"type": "string", "format": "date-time"},
}
# Fields that the schemas call required, some of older versions only, and that an API server does without: mostly a zero
# or an empty text will do, or it has a default.
_OPTIONAL = {
    "apiextensions.CustomResourceDefinitionVersion": ("served", "storage"),
    "apps.ControllerRevision": ("revision",),
    "apps.StatefulSetSpec": ("serviceName",),
    "batch.PodFailurePolicyOnPodConditionsPattern": ("status",),
    "batch.PodFailurePolicyRule": ("onPodConditions",),
    "core.ClusterTrustBundleProjection": ("path",),
    "core.ConfigMapNodeConfigSource": ("kubeletConfigKey", "name", "namespace"),
    "core.Event": ("involvedObject", "metadata"),
    "core.HTTPHeader": ("value",),
    "core.ISCSIPersistentVolumeSource": ("lun",),
    "core.ISCSIVolumeSource": ("lun",),
    "core.LimitRangeSpec": ("limits",),
    "core.PodCertificateProjection": ("keyType", "signerName"),
    "core.PreferredSchedulingTerm": ("preference",),
    "core.ScaleIOPersistentVolumeSource": ("secretRef",),
    "core.ScaleIOVolumeSource": ("secretRef",),
    "core.SleepAction": ("seconds",),
    "core.Sysctl": ("value",),
    "discovery.EndpointSlice": ("endpoints",),
    "networking.NetworkPolicySpec": ("podSelector",),
    "rbac.RoleRef": ("apiGroup",),
    "resource.CapacityRequestPolicyRange": ("min",),
    "resource.Counter": ("value",),
    "resource.DeviceCapacity": ("value",),
    "resource.DeviceClass": ("spec",),
    "resource.ResourceClaim": ("spec",),
    "resource.ResourceClaimTemplate": ("spec",),
    "resource.ResourceClaimTemplateSpec": ("spec",),
    "resource.ResourcePool": ("generation",),
    "scheduling.PriorityClass": ("value",),
    "storage.CSIDriver": ("spec",),
    "storage.CSINode": ("spec",),
    "storage.CSINodeSpec": ("drivers",),
    "storage.TokenRequest": ("audience",),
}
Kinds = dict[str, Form]


def core(enums: dict[tuple[str, str], list[str]]) -> dict[str, Any]:
    """The facts about Kubernetes' own kinds."""
    by_minor = {f"1.{minor}": definitions(minor, enums) for minor in MINORS}
    kinds = {minor: kinds_of(found) for minor, found in by_minor.items()}
    known = sorted({kind for found in kinds.values() for kind in found})
    types = {minor: {short(name): form(one) for name, one in found.items()} for minor, found in by_minor.items()}
    merged = {
        name: over_time({minor: found[name] for minor, found in types.items() if name in found})
        for name in sorted({name for found in types.values() for name in found})
    }
    roots = {kind: over_time({minor: found.get(kind) for minor, found in kinds.items()}) for kind in known}
    asked = _reached(roots, {name: _without_status(one) for name, one in merged.items()})
    for name, one in merged.items():
        _relax(name, one, name in asked)
    return {
        "sources": {
            "kinds": "Kubernetes' OpenAPI schemas, as the package kubernetes-validate has them",
            "enums": "what the API server of 1.36.3 says of itself at /openapi/v3",
        },
        "releases": list(by_minor),
        "kinds": shortened(roots),
        "types": {name: shortened(merged[name]) for name in sorted(_reached(roots, merged))},
    }


def _without_status(type_: Form) -> Form:
    if not isinstance(type_, dict) or "fields" not in type_:
        return type_
    return {"fields": {field: one for field, one in type_["fields"].items() if field != "status"}}


def _relax(name: str, type_: Form, asked: bool) -> None:
    """Take out what is not required in truth: all in a type that only a status has, which no one asks for."""
    group, _, kind = name.split(".")
    optional = _OPTIONAL.get(f"{group}.{kind}", ())
    if isinstance(type_, dict) and "required" in type_:
        listed = [one for one in type_["required"] if asked and _item(one) not in optional]
        type_.update(required=listed)
        if not listed:
            del type_["required"]


def _item(one: Any) -> Any:
    return one["value"] if isinstance(one, dict) else one


def definitions(minor: int, enums: dict[tuple[str, str], list[str]]) -> dict[str, Schema]:
    """The schemas of a minor of Kubernetes, with the words of their fields."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v1.{minor}.0-local"
    found = json.loads((folder / "_definitions.json").read_bytes())["$defs"]
    for name, schema in found.items():
        for field, one in schema.get("properties", {}).items():
            one.pop("enum", None)
            if words := enums.get((short(name), field)):
                one.get("items", one)["enum"] = words
    return {name: _resolved(schema) for name, schema in found.items()}


def short(name: str) -> str:
    """The name of a type without its package: `core.v1.PodSpec`."""
    return ".".join(name.split(".")[-3:])


def _resolved(schema: Schema) -> Schema:
    """A schema whose references are names in short, and whose types are no list with null in it."""
    reference = schema.get("$ref") or next((one["$ref"] for one in schema.get("allOf", []) if "$ref" in one), None)
    if reference:
        name = str(reference).rpartition("/")[2]
        return _WELL_KNOWN.get(name.rpartition(".")[2], {"$ref": short(name)})
    made = {key: value for key, value in schema.items() if key not in ("default", "nullable")}
    if isinstance(schema.get("type"), list):
        made["type"] = schema["type"][0]
    if "properties" in schema:
        made["properties"] = {name: _resolved(one) for name, one in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            made[key] = _resolved(schema[key])
    return made


def kinds_of(found: dict[str, Schema]) -> dict[str, str]:
    """The kinds that have metadata of an object, each with the name of its type."""
    made = {}
    for name, schema in found.items():
        if schema.get("properties", {}).get("metadata", {}).get("$ref") == "meta.v1.ObjectMeta":
            for one in schema.get("x-kubernetes-group-version-kind", []):
                group = f"{one['group']}/" if one["group"] else ""
                made[f"{group}{one['version']} {one['kind']}"] = f"@{short(name)}"
    return made


def _reached(roots: Form, types: dict[str, Form]) -> set[str]:
    reached: set[str] = set()
    waiting = list(_names(roots))
    while waiting:
        if (name := waiting.pop()) not in reached:
            reached.add(name)
            waiting += _names(types[name])
    return reached


def _names(one: Any) -> Iterator[str]:
    if isinstance(one, str) and one.startswith("@"):
        yield one[1:]
    elif isinstance(one, dict | list):
        for inner in one.values() if isinstance(one, dict) else one:
            yield from _names(inner)


def server_enums() -> dict[tuple[str, str], list[str]]:
    """The words that each field takes, by type and field, as a real API server says."""
    found = {}
    with api_server() as server:
        paths = json.loads(server.kubectl("get", "--raw=/openapi/v3"))["paths"]
        for path in sorted(path for path in paths if path.startswith(("api/", "apis/"))):
            schemas = json.loads(server.kubectl("get", f"--raw=/openapi/v3/{path}"))["components"]["schemas"]
            for name, schema in schemas.items():
                for field, one in schema.get("properties", {}).items():
                    if words := one.get("enum") or one.get("items", {}).get("enum"):
                        found[short(name), field] = words
    return found


def istio(releases: dict[str, Path]) -> dict[str, Any]:
    """The facts about Istio's kinds, from the CRDs of each release that changed them."""
    by_release = {name: crd_kinds([path]) for name, path in releases.items()}
    # All versions of a kind are the same type at each release, so that one tells of all.
    kinds: dict[str, dict[str, Form]] = {}
    for name, found in by_release.items():
        for api, one in found.items():
            kept = kinds.setdefault(plain_kind(api), dict.fromkeys(by_release))
            assert kept[name] in (None, one), api
            kept[name] = one
    types = {kind: over_time({name: one for name, one in forms.items() if one}) for kind, forms in kinds.items()}
    apis = sorted({api for found in by_release.values() for api in found})
    roots = {
        api: over_time({name: f"@{plain_kind(api)}" if api in found else None for name, found in by_release.items()})
        for api in apis
    }
    made, more = shared({f" {kind}": one for kind, one in types.items()})
    named = {kind.strip(): one for kind, one in made.items()} | more
    return {
        "sources": {"kinds": "crd-all.gen.yaml of the chart base in istio/istio, at every release"},
        "releases": list(releases),
        "kinds": roots,
        "types": shortened(dict(sorted(named.items()))),
    }


def plain_kind(api: str) -> str:
    """A kind with its group, without the version: `networking.Gateway`."""
    version, _, kind = api.partition(" ")
    return f"{version.partition('.')[0]}.{kind}"


def project(known: Project) -> dict[str, Any]:
    """The facts about the kinds of a project: what any of its known releases and channels takes."""
    states = [crd_kinds([path]) for path in sorted(CRDS.glob("*.yaml"))]
    for release in known.releases:
        with zipfile.ZipFile(module_zip(known.module, release)) as archive:
            states += [crd_kinds(paths) for paths in _in_folders(archive, f"{known.module}@{release}", known.folders)]
    apis = sorted({api for state in states for api in state if api.partition("/")[0] in known.groups})
    roots, types = shared({api: any_of(state[api] for state in states if api in state) for api in apis})
    source = f"its Go modules {', '.join(known.releases)} and " if known.releases else ""
    return {
        "sources": {"kinds": f"the project's CRDs, of {source}summer 2026: what any takes; its fields have no ranges"},
        "state": known.state,
        "kinds": shortened(roots),
        "types": shortened(types),
    }


def _in_folders(archive: zipfile.ZipFile, root: str, folders: Iterable[str]) -> Iterator[list[zipfile.Path]]:
    for folder in folders:
        yield [zipfile.Path(archive, name) for name in archive.namelist() if fnmatch(name, f"{root}/{folder}")]


def module_zip(module: str, version: str) -> Path:
    """A Go module as Go's client downloads it; it needs no Go that could build the module."""
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    run = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    # Of a module for a newer Go the client says so as an error, and has brought it all the same.
    return Path(json.loads(run.stdout)["Zip"])


def crd_kinds(paths: Iterable[Path | zipfile.Path]) -> Kinds:
    """The form of each kind that the CRDs of some files have and serve."""
    made = {}
    for path in paths:
        for crd in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
            spec = (crd or {}).get("spec", {})
            for version in spec.get("versions", []):
                if version["served"]:
                    api = f"{spec['group']}/{version['name']} {spec['names']['kind']}"
                    made[api] = kind_form(version)
    return made


def releases_in(folder: Path) -> dict[str, Path]:
    """The files of a folder by the release they stand for, oldest first."""
    paths = sorted(folder.glob("*.yaml"), key=lambda path: Version.parse(path.stem))
    return {path.stem.partition("-")[0]: path for path in paths}


def written(facts: dict[str, Any]) -> str:
    """The text of a file of facts."""
    return filled(facts) + "\n"


def main(folder: Path) -> None:
    """Write all files into the catalogue."""
    facts = {"core": core(server_enums()), "istio": istio(releases_in(folder))}
    facts |= {name: project(known) for name, known in PROJECTS.items()}
    for name, one in facts.items():
        (FACTS / f"kinds-{name}.json").write_text(written(one), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
