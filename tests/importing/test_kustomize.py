"""A folder of Kustomize overlays becomes a config with overlays, by the real kustomize."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.importing.story import import_config
from tests.importing.inputs import operator, rendered
from tests.layout.kustomize import build
from tests.objects import Object, text_of

BASE = """\
# The mesh of all.
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: example
  namespace: istio-system
  labels: {team: net}
spec:
  tag: 1.20.3
  # Everyone gets the default.
  profile: default
  meshConfig:
    accessLogFile: /dev/stdout # while we look for the fault
    enableTracing: true
  components:
    ingressGateways:
    - name: istio-ingressgateway
      enabled: true
"""
DEV = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: example
  namespace: istio-system
spec:
  meshConfig:
    # Machines read it.
    accessLogEncoding: JSON
    enableTracing: null
"""
PROD = """\
resources: [../../base]
namePrefix: prod-
patches:
- target: {kind: IstioOperator}
  patch: |
    - {op: replace, path: /spec/tag, value: 1.20.2}
    - {op: add, path: /spec/components/ingressGateways/-, value: {name: second, enabled: true}}
"""


@pytest.fixture(autouse=True)
def _on_path(kubectl: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", f"{kubectl.parent}{os.pathsep}{os.environ['PATH']}")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def mesh(folder: Path) -> Path:
    return write(
        folder,
        {
            "base/kustomization.yaml": "resources: [mesh.yaml]\n",
            "base/mesh.yaml": BASE,
            "overlays/dev/kustomization.yaml": "resources: [../../base]\npatches: [{path: patch.yaml}]\n",
            "overlays/dev/patch.yaml": DEV,
            "overlays/prod/kustomization.yaml": PROD,
        },
    )


def built(kubectl: Path, folder: Path) -> Object:
    (obj,) = build(kubectl, folder).values()
    return obj


def test_each_overlay_renders_to_what_kustomize_builds(kubectl: Path, tmp_path: Path):
    source = mesh(tmp_path / "source")
    config = tmp_path / "config" / "meshgen.yaml"

    found = import_config([source], config)

    assert found.findings == ()
    assert found.differences == ()
    clusters = rendered(found, config)
    assert clusters == {name: built(kubectl, source / "overlays" / name) for name in ("dev", "prod")}


def test_the_overlay_says_no_more_than_what_differs(tmp_path: Path):
    config = tmp_path / "config" / "meshgen.yaml"

    found = import_config([mesh(tmp_path / "source")], config)

    files = {path.relative_to(config.parent).as_posix(): yaml.safe_load(text) for path, text in found.files.items()}
    assert list(files) == ["meshgen.yaml", "overlays/dev.yaml", "overlays/prod.yaml"]
    assert files["overlays/dev.yaml"] == {
        "apiVersion": "meshgen.dev/v1",
        "kind": "Overlay",
        "metadata": {"name": "dev"},
        "clusters": {"dev": {}},
        "patch": {"istio": {"meshConfig": {"accessLogEncoding": "JSON", "enableTracing": None}}},
    }
    assert files["overlays/prod.yaml"]["patch"]["istio"] == {
        "version": "1.20.2",
        "metadata": {"name": "prod-example"},
        "tag": "1.20.2",
        "components": {
            "ingressGateways": [{"name": "istio-ingressgateway", "enabled": True}, {"name": "second", "enabled": True}]
        },
    }


def test_comments_and_the_order_of_fields_are_those_of_the_files(tmp_path: Path):
    config = tmp_path / "config" / "meshgen.yaml"

    files = import_config([mesh(tmp_path / "source")], config).files

    lines = files[config].splitlines()
    assert lines[0] == "# The mesh of all."
    assert lines[lines.index("  # Everyone gets the default.") + 1] == "  profile: default"
    assert "    accessLogFile: /dev/stdout # while we look for the fault" in lines
    patch = files[config.parent / "overlays" / "dev.yaml"].splitlines()
    assert patch[patch.index("      # Machines read it.") + 1] == "      accessLogEncoding: JSON"


def test_one_kustomization_is_a_config_without_overlays(tmp_path: Path):
    source = write(
        tmp_path / "source",
        {"kustomization.yaml": "resources: [mesh.yaml]\nnamePrefix: one-\n", "mesh.yaml": BASE},
    )
    config = tmp_path / "config" / "meshgen.yaml"

    found = import_config([source], config)

    assert list(found.files) == [config]
    assert list(rendered(found, config)) == ["one-example"]


def test_a_problem_is_said_where_its_value_was_written(tmp_path: Path):
    source = mesh(tmp_path / "source")
    (source / "overlays/dev/patch.yaml").write_text(DEV.replace("JSON", "JSN"), encoding="utf-8")

    with pytest.raises(InputError) as refused:
        import_config([source], tmp_path / "config" / "meshgen.yaml")

    (found,) = refused.value.findings
    assert found.file is not None
    assert (found.file.endswith("overlays/dev/patch.yaml"), found.line, found.rule) == (True, 9, "MG101")


@pytest.mark.parametrize(
    "entry",
    ["https://example.com/base.yaml", "github.com/org/repo//base?ref=v1", "git@example.com:org/repo.git", "../gone"],
)
def test_nothing_is_fetched(tmp_path: Path, entry: str):
    source = write(tmp_path / "source", {"kustomization.yaml": f"resources:\n- '{entry}'\n"})

    with pytest.raises(InputError) as refused:
        import_config([source], tmp_path / "meshgen.yaml", version="1.20.3")

    (found,) = refused.value.findings
    assert (found.rule, found.line) == ("MG808", 2)


def test_overlays_without_a_common_base_are_refused(tmp_path: Path):
    one = text_of(operator({"tag": "1.20.3"}))
    files = {f"{name}/{file}": text for name in "ab" for file, text in {"mesh.yaml": one}.items()}
    files |= {f"{name}/kustomization.yaml": "resources: [mesh.yaml]\n" for name in "ab"}

    with pytest.raises(InputError) as refused:
        import_config([write(tmp_path / "source", files)], tmp_path / "meshgen.yaml")

    assert [one.rule for one in refused.value.findings] == ["MG808"]


def test_what_kustomize_refuses_is_told_in_its_words(tmp_path: Path):
    source = write(tmp_path / "source", {"kustomization.yaml": "resources: [mesh.yaml]\nnope: 1\n", "mesh.yaml": BASE})

    with pytest.raises(InputError) as refused:
        import_config([source], tmp_path / "meshgen.yaml")

    assert 'unknown field "nope"' in refused.value.findings[0].message


def test_a_folder_of_which_kustomize_builds_nothing_is_named(tmp_path: Path):
    source = write(tmp_path / "source", {"kustomization.yaml": "resources: [mesh.yaml]\n", "mesh.yaml": ""})

    with pytest.raises(InputError) as refused:
        import_config([source], tmp_path / "meshgen.yaml")

    (finding,) = refused.value.findings
    assert (finding.rule, finding.file) == ("MG808", (source / "kustomization.yaml").as_posix())
    assert finding.message == "Kustomize builds no object of it"


def test_without_kustomize_and_kubectl_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EnvironmentFailure, match="neither") as refused:
        import_config([mesh(tmp_path / "source")], tmp_path / "config" / "meshgen.yaml")

    assert refused.value.hint


URL = "http://127.0.0.1:1/x.yaml"


@pytest.mark.parametrize(
    "text",
    [
        f"patches: [{{path: '{URL}', target: {{kind: IstioOperator}}}}]",
        f"patches: [{{path: '{URL.upper()}'}}]",
        f"patchesJson6902: [{{path: '{URL}', target: {{kind: IstioOperator, name: example}}}}]",
        f"patchesStrategicMerge: ['{URL}']",
        f"openapi: {{path: '{URL}'}}",
        f"replacements: [{{path: '{URL}'}}]",
        f"configMapGenerator: [{{name: a, files: ['{URL}']}}]",
        f"configMapGenerator: [{{name: a, envs: ['{URL}']}}]",
        f"configMapGenerator: [{{name: a, env: '{URL}'}}]",
        f"secretGenerator: [{{name: a, files: ['key={URL}']}}]",
        "transformers: [plugin.yaml]",
        "generators: [plugin.yaml]",
    ],
)
def test_a_url_is_refused_wherever_kustomize_takes_a_path(tmp_path: Path, text: str):
    plugin = f"apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: a}}\npath: '{URL}'\n"
    files = {"kustomization.yaml": f"resources: [mesh.yaml]\n{text}\n", "mesh.yaml": BASE, "plugin.yaml": plugin}

    with pytest.raises(InputError) as refused:
        import_config([write(tmp_path / "source", files)], tmp_path / "config" / "meshgen.yaml")

    (found,) = refused.value.findings
    assert found.rule == "MG808"
    assert "would be fetched" in found.message


def test_a_url_that_is_no_path_is_none_of_the_imports_business(tmp_path: Path):
    text = "resources: [mesh.yaml]\ncommonAnnotations: {docs: 'https://example.com/mesh'}\n"
    config = tmp_path / "config" / "meshgen.yaml"

    found = import_config([write(tmp_path / "source", {"kustomization.yaml": text, "mesh.yaml": BASE})], config)

    (obj,) = rendered(found, config).values()
    assert obj["metadata"]["annotations"] == {"docs": "https://example.com/mesh"}


def test_an_overlay_between_base_and_overlay_is_named_and_its_comments_come_along(kubectl: Path, tmp_path: Path):
    source = mesh(tmp_path / "source")
    write(source, {"overlays/eu/kustomization.yaml": "resources: [../dev]\nnameSuffix: -eu\n"})
    config = tmp_path / "config" / "meshgen.yaml"

    found = import_config([source], config)

    (said,) = found.findings
    assert (said.rule, said.severity) == ("MG808", "info")
    assert "taken into eu" in said.message
    assert rendered(found, config)["eu"] == built(kubectl, source / "overlays" / "eu")
    assert "      # Machines read it." in found.files[config.parent / "overlays" / "eu.yaml"].splitlines()


def test_two_overlays_of_one_name_are_told_apart_by_their_paths(tmp_path: Path):
    source = mesh(tmp_path / "source")
    for region in ("eu", "us"):
        write(source, {f"{region}/prod/kustomization.yaml": "resources: [../../base]\n"})
    config = tmp_path / "config" / "meshgen.yaml"

    files = import_config([source], config).files

    assert {path.stem for path in files} == {"meshgen", "dev", "eu-prod", "overlays-prod", "us-prod"}


def test_the_reason_is_kustomizes_error_without_what_it_quotes(tmp_path: Path):
    text = "resources: [mesh.yaml]\ncommonLabels: {a: b}\nsecretGenerator: [{name: a, literals: [hunter2]}]\n"
    source = write(tmp_path / "source", {"kustomization.yaml": text, "mesh.yaml": BASE})

    with pytest.raises(InputError) as refused:
        import_config([source], tmp_path / "meshgen.yaml")

    message = refused.value.findings[0].message
    assert "deprecated" not in message
    assert "hunter2" not in message
