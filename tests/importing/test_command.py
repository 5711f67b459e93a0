"""`meshgen import` as a user runs it: what it prints, what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from meshgen.cli.formats import FORMATS
from tests.importing.inputs import operator
from tests.objects import Object, files_of, meshgen, text_of

GOOD = operator({"tag": "1.11.3", "profile": "demo"})
NOTE = operator({"tag": "1.11.3"}, name="installed-state")
BAD = operator({"tag": "1.11.3", "profile": "demos"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, obj in {"good": GOOD, "note": NOTE, "bad": BAD}.items():
        (tmp_path / f"{name}.yaml").write_text(text_of(obj), encoding="utf-8")
    (tmp_path / "mesh").mkdir()
    return tmp_path


def config(folder: Path) -> Path:
    return folder / "mesh" / "meshgen.yaml"


def test_it_writes_the_config_that_c_names_and_says_so(folder: Path):
    done = meshgen("import", "good.yaml", "-c", "mesh/meshgen.yaml", cwd=folder)

    assert (done.returncode, done.stdout) == (0, "wrote mesh/meshgen.yaml\n")
    assert done.stderr == "next: meshgen validate\n"
    assert meshgen("validate", cwd=folder / "mesh").returncode == 0
    value = yaml.safe_load(config(folder).read_text(encoding="utf-8"))
    assert value["istio"] == {"version": "1.11.3", "tag": "1.11.3", "profile": "demo"}


def test_what_is_refused_writes_nothing(folder: Path):
    before = files_of(folder)

    done = meshgen("import", "bad.yaml", "-c", "mesh/meshgen.yaml", cwd=folder)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("bad.yaml:")
    assert 'error MG204: istio.profile: Istio 1.11 has no profile "demos"' in done.stderr
    assert files_of(folder) == before


def test_a_config_that_is_there_is_not_touched_unless_someone_insists(folder: Path):
    config(folder).write_text("mine: 1\n", encoding="utf-8")

    refused = meshgen("import", "good.yaml", "-c", "mesh/meshgen.yaml", cwd=folder)

    assert (refused.returncode, config(folder).read_text(encoding="utf-8")) == (1, "mine: 1\n")
    assert "MG605" in refused.stderr
    assert "--overwrite" in refused.stderr
    done = meshgen("import", "good.yaml", "-c", "mesh/meshgen.yaml", "--overwrite", cwd=folder)
    assert done.returncode == 0
    assert "profile: demo" in config(folder).read_text(encoding="utf-8")
    assert sorted(path.name for path in config(folder).parent.iterdir()) == ["meshgen.yaml"]


def test_overwriting_what_is_refused_leaves_the_old_config(folder: Path):
    config(folder).write_text("mine: 1\n", encoding="utf-8")

    assert meshgen("import", "bad.yaml", "-c", "mesh/meshgen.yaml", "--overwrite", cwd=folder).returncode == 1

    assert config(folder).read_text(encoding="utf-8") == "mine: 1\n"


def test_overlays_that_are_there_already_would_be_laid_over_it_and_are_refused(folder: Path):
    (folder / "mesh" / "overlays").mkdir()
    (folder / "mesh" / "overlays" / "dev.yaml").write_text("mine: 1\n", encoding="utf-8")

    done = meshgen("import", "good.yaml", "-c", "mesh/meshgen.yaml", "--overwrite", cwd=folder)

    assert done.returncode == 1
    assert "overlays/dev.yaml" in done.stderr
    assert not config(folder).exists()


def test_a_dry_run_prints_the_config_and_every_difference_and_writes_nothing(folder: Path):
    before = files_of(folder)

    done = meshgen("import", "note.yaml", "--dry-run", "-c", "mesh/meshgen.yaml", cwd=folder)

    assert done.returncode == 0
    assert files_of(folder) == before
    assert yaml.safe_load(done.stdout)["metadata"] == {"name": "mesh"}
    *_, last = done.stdout.splitlines()
    assert last.startswith('# IstioOperator: metadata.name: "installed-state" -> "mesh" (')


def test_a_dry_run_without_a_difference_says_so(folder: Path):
    done = meshgen("import", "good.yaml", "--dry-run", cwd=folder)

    assert done.stdout.endswith("# no difference: it renders to what was read\n")


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_json_is_what_its_schema_says(folder: Path, dry_run: list[str]):
    done = meshgen("import", "note.yaml", "-o", "json", "-c", "mesh/meshgen.yaml", *dry_run, cwd=folder)

    result = json.loads(done.stdout)
    jsonschema.validate(result, FORMATS["import"])
    assert result["written"] is not bool(dry_run)
    (file,) = result["files"]
    assert yaml.safe_load(file["text"])["metadata"] == {"name": "mesh"}
    assert [one["rule"] for one in result["findings"]] == ["MG803"]
    assert [one["path"] for one in result["differences"]] == ["metadata.name"]
    assert config(folder).exists() is not bool(dry_run)


def test_standard_input_is_read_for_a_dash(folder: Path):
    done = meshgen("import", "-", "--dry-run", cwd=folder, input=text_of(GOOD))

    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["istio"]["profile"] == "demo"


def test_the_version_has_to_come_from_somewhere(folder: Path):
    done = meshgen("import", "-", cwd=folder, input=text_of(operator({"tag": "latest"})))

    assert done.returncode == 1
    assert "error MG802: nothing says which Istio this is for" in done.stderr
    assert "--istio-version 1.11.3" in done.stderr


@pytest.mark.parametrize(
    ("version", "said"),
    [("1.11", '"1.11" is not a version of Istio'), ("1.9.0", "Istio 1.9 is not known"), ("9.9.9", "Istio 9.9 is not")],
)
def test_a_version_that_is_none_or_not_known_is_refused(folder: Path, version: str, said: str):
    done = meshgen("import", "good.yaml", "--istio-version", version, cwd=folder)

    assert (done.returncode, said in done.stderr) == (1, True)


@pytest.mark.parametrize("spec", [{"tag": "1.99.0"}, {"values": {"global": {"tag": "1.99.0"}}}])
def test_a_tag_that_is_not_known_is_told_as_the_tag(folder: Path, spec: Object):
    done = meshgen("import", "-", cwd=folder, input=text_of(operator(spec)))

    said, hint = done.stderr.splitlines()
    assert "error MG203: the tag: Istio 1.99 is not known to this meshgen" in said
    assert "--istio-version says for which" in hint


def test_files_and_folders_that_hold_nothing_are_named(folder: Path):
    (folder / "empty.yaml").write_text("---\n# nothing\n", encoding="utf-8")
    (folder / "none" / "deep").mkdir(parents=True)
    (folder / "none" / "deep" / "good.yaml").write_text(text_of(GOOD), encoding="utf-8")

    done = meshgen("import", "empty.yaml", "none", cwd=folder)

    assert done.returncode == 1
    assert "empty.yaml: error MG801: there is no Kubernetes object in it\n" in done.stderr
    assert "none: error MG801: there is no Kubernetes object in it\n" in done.stderr
    assert "those of folders in it are not read" in done.stderr


def test_the_named_version_wins_over_the_tag(folder: Path):
    done = meshgen("import", "good.yaml", "--istio-version", "1.20.3", "--dry-run", cwd=folder)

    assert yaml.safe_load(done.stdout)["istio"] == {"version": "1.20.3", "tag": "1.11.3", "profile": "demo"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "MG801"),
        ("a: b\n", "MG801"),
        ("- 1\n", "MG801"),
        ("apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: [1]\n", "MG103"),
        ("apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspc: {}\n", "MG205"),
        ("apiVersion: install.istio.io/v1\nkind: IstioOperator\n", "MG801"),
        ("apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: 1}\n", "MG103"),
        ("apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {labels: {a: 1}}\n", "MG103"),
        ("apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {version: 1.11.3}\n", "MG205"),
        ("a: b: c\n", "MG001"),
    ],
)
def test_what_is_no_istiooperator_is_refused_in_words(tmp_path: Path, text: str, rule: str):
    done = meshgen("import", "-", "--istio-version", "1.11.3", cwd=tmp_path, input=text)

    assert done.returncode == 1
    assert f"error {rule}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_a_problem_of_the_input(tmp_path: Path):
    done = meshgen("import", "gone.yaml", cwd=tmp_path)

    assert (done.returncode, "gone.yaml: error MG002: cannot be read" in done.stderr) == (1, True)


def test_no_file_at_all_is_a_wrong_command_line(tmp_path: Path):
    assert meshgen("import", cwd=tmp_path).returncode == 2


def test_a_folder_is_its_manifests(folder: Path):
    (folder / "in").mkdir()
    (folder / "good.yaml").rename(folder / "in" / "mesh.yaml")
    (folder / "in" / "notes.txt").write_text("no manifest", encoding="utf-8")

    done = meshgen("import", "in", "-c", "mesh/meshgen.yaml", cwd=folder)

    assert (done.returncode, config(folder).exists()) == (0, True)


def test_json_says_too_why_an_import_is_refused(folder: Path):
    done = meshgen("import", "bad.yaml", "-o", "json", cwd=folder)

    result = json.loads(done.stdout)
    jsonschema.validate(result, FORMATS["import"])
    assert (done.returncode, done.stderr, result["written"]) == (1, "", False)
    assert [one["rule"] for one in result["findings"]] == ["MG204"]


@pytest.mark.parametrize("files", [[""], ["-", "-"]])
def test_an_empty_name_and_a_second_standard_input_are_wrong_command_lines(folder: Path, files: list[str]):
    assert meshgen("import", *files, cwd=folder, input="").returncode == 2


def test_a_closed_standard_input_is_an_empty_one(folder: Path):
    command = f"'{sys.executable}' -m meshgen import - <&-"

    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)

    assert (done.returncode, "MG801" in done.stderr) == (1, True)


@pytest.mark.parametrize("kind", ["link", "folder", "dangling"])
def test_overwrite_replaces_files_only(folder: Path, kind: str):
    precious = folder / "precious"
    precious.write_text("mine", encoding="utf-8")
    target = config(folder)
    if kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(precious if kind == "link" else folder / "gone")

    done = meshgen("import", "good.yaml", "-c", "mesh/meshgen.yaml", "--overwrite", cwd=folder)

    assert (done.returncode, "MG603" in done.stderr) == (1, True)
    assert precious.read_text(encoding="utf-8") == "mine"


def test_a_link_that_leads_nowhere_is_no_manifest(folder: Path):
    (folder / "in").mkdir()
    (folder / "in" / "loop.yaml").symlink_to("loop.yaml")
    (folder / "good.yaml").rename(folder / "in" / "mesh.yaml")

    assert meshgen("import", "in", "--dry-run", cwd=folder).returncode == 0
