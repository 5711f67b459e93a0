"""The real istioctl makes the same objects of an imported mesh as of the file that it was imported from.

Only the line of 1.31 can be run here: what it accepts of the inputs of 1.11 is compared object by object, of the rest
`test_cases` compares the specs.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.errors import InputError
from tests.importing.inputs import Case, imported, operator, operators_of, rendered
from tests.layout.kustomize import GoLoader
from tests.objects import Object, text_of
from tests.tools import tool

pytestmark = pytest.mark.realtools
VERSION = "1.31.0"
DEFAULTS = {"hub": "docker.io/istio", "tag": VERSION}


def generate(folder: Path, *operators: Object) -> list[Object] | None:
    """What istioctl makes of IstioOperators, with its own defaults named; None where it refuses them."""
    files: list[str | Path] = []
    for number, one in enumerate(operators):
        path = folder / f"{number}.yaml"
        path.write_text(text_of({**one, "spec": DEFAULTS | (one.get("spec") or {})}), encoding="utf-8")
        files += ["-f", path]
    argv = [tool("istioctl"), "manifest", "generate", *files]
    run = subprocess.run(argv, env={"KUBECONFIG": "/dev/null"}, capture_output=True, text=True, check=False)
    return [obj for obj in yaml.load_all(run.stdout, GoLoader) if obj] if run.returncode == 0 else None


def as_sent(case: Case) -> Object:
    obj: Any = yaml.load(case.path.read_bytes(), GoLoader)
    return {**obj, "spec": {key: value for key, value in (obj.get("spec") or {}).items() if value is not None}}


def compared(case: Case, folder: Path) -> str:
    """How istioctl and an import take a case: `same objects`, `refused` by both, or what they disagree on."""
    folder.mkdir()
    theirs = generate(folder, as_sent(case))
    config = folder / "meshgen.yaml"
    try:
        found = imported(config, case.path.read_text(encoding="utf-8"), version=VERSION)
    except InputError as error:
        said = "; ".join(one.message for one in error.findings if one.severity == "error")
        return "refused" if theirs is None else f"only the import refuses it: {said}"
    (ours,) = rendered(found, config).values()
    if theirs is None:
        return "only istioctl refuses it"
    return "same objects" if generate(folder, ours) == theirs else "other objects"


@pytest.mark.upstream
def test_the_real_istioctl_makes_the_same_of_every_input_that_it_accepts(cases: Path, tmp_path: Path):
    inputs = list(operators_of(cases, "manifest-generate/input", "iop-other", "iop-validate", "profiles"))
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda one: compared(one[1], tmp_path / str(one[0])), enumerate(inputs))
        outcome = {case.name: answer for case, answer in zip(inputs, answers, strict=True)}

    # Its charts lie in a folder of someone else's machine: an import leaves that to the istioctl that renders it.
    assert outcome.pop("iop-validate/TestValidate/goodurl.yaml") == "only istioctl refuses it"
    assert {name: said for name, said in outcome.items() if said not in ("same objects", "refused")} == {}
    assert sum(said == "same objects" for said in outcome.values()) >= 50


def test_joined_gateways_are_the_objects_of_both_files(tmp_path: Path):
    main = operator({"profile": "default", "meshConfig": {"accessLogFile": "/dev/stdout"}})
    gateway = {"name": "second", "enabled": True, "namespace": "edge", "k8s": {"replicaCount": 2}}
    other = operator({"profile": "empty", "components": {"ingressGateways": [gateway]}}, name="second")
    config = tmp_path / "meshgen.yaml"

    (joined,) = rendered(imported(config, main, other, version=VERSION), config).values()

    both = [*(generate(tmp_path, main) or []), *(generate(tmp_path, other) or [])]
    ours = generate(tmp_path, joined) or []
    key = text_of
    assert sorted(map(key, ours)) == sorted(map(key, both))
