"""`.sops.yaml` says which files are encrypted: a Secret that it names and that is not is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meshgen.build.manifests import Manifest, Manifests
from meshgen.build.stage import Remark
from meshgen.check.secrets import secret_remarks
from meshgen.config.creationrules import CreationRules, read_creation_rules
from meshgen.config.document import Document
from tests.encryption.objects import ciphertext, plain, secret

RULE = "creation_rules:\n- path_regex: ^manifests/.*[.]yaml$\n  age: age1abc\n"
SECRET = Document("manifests/grafana.yaml", b"", {})
PLAIN = plain({"password": "hunter2"})


def rules(folder: Path, obj: object = PLAIN) -> CreationRules | None:
    assert isinstance(obj, dict)
    return read_creation_rules(folder, Manifests(of_resources={"manifests": (Manifest(obj, SECRET),)}))


def written(folder: Path, text: str) -> CreationRules:
    (folder / ".sops.yaml").write_text(text)
    found = rules(folder)
    assert found is not None
    return found


def remark_of(creation: CreationRules | None, file: str = "manifests/grafana.yaml") -> Remark:
    (remark,) = secret_remarks(PLAIN, replace(SECRET, file=file), creation)
    return remark


def test_a_secret_that_a_rule_takes_has_to_be_encrypted(tmp_path: Path):
    remark = remark_of(written(tmp_path, RULE))

    assert (remark.rule, remark.severity) == ("MG457", "error")
    assert "by .sops.yaml:2 its file is to be encrypted" in remark.message
    assert "sops encrypt --in-place manifests/grafana.yaml" in str(remark.hint)
    assert "hunter2" not in f"{remark.message}{remark.hint}"


def test_an_encrypted_secret_is_what_the_rule_asks_for(tmp_path: Path):
    creation = written(tmp_path, RULE)

    assert list(secret_remarks(secret({"password": ciphertext()}), SECRET, creation)) == []


def test_a_secret_that_no_rule_takes_is_a_warning_that_names_the_file(tmp_path: Path):
    remark = remark_of(written(tmp_path, RULE), "elsewhere/grafana.yaml")

    assert (remark.rule, remark.severity) == ("MG503", "warning")
    assert "add a rule to .sops.yaml that takes elsewhere/grafana.yaml" in str(remark.hint)


def test_a_rule_without_a_path_takes_every_file(tmp_path: Path):
    creation = written(tmp_path, f"{RULE}- kms: arn:aws:kms:a:1:key/b\n")

    assert creation.findings == ()
    assert creation.rule_for("manifests/a.yaml") == "/creation_rules/0"
    assert creation.rule_for("elsewhere/a.yaml") == "/creation_rules/1"


def test_paths_are_those_of_the_rules_own_folder(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "mesh").mkdir()
    (tmp_path / ".sops.yaml").write_text(RULE.replace("^manifests", "^mesh/manifests"))

    creation = rules(tmp_path / "mesh")

    assert creation is not None
    assert creation.document.file == "../.sops.yaml"
    assert creation.rule_for("manifests/a.yaml") == "/creation_rules/0"
    assert creation.rule_for("../manifests/a.yaml") is None


def test_the_nearest_file_holds(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "mesh").mkdir()
    (tmp_path / ".sops.yaml").write_text("creation_rules: nonsense\n")

    creation = written(tmp_path / "mesh", RULE)

    assert creation.document.file == ".sops.yaml"
    assert creation.findings == ()


def test_what_lies_outside_of_the_repository_is_not_read(tmp_path: Path):
    (tmp_path / ".sops.yaml").write_text("creation_rules: nonsense\n")
    (tmp_path / "mesh").mkdir()
    assert rules(tmp_path / "mesh") is None

    (tmp_path / "mesh" / ".git").mkdir()
    assert rules(tmp_path / "mesh") is None


def test_a_mesh_without_secrets_does_not_read_it(tmp_path: Path):
    (tmp_path / ".sops.yaml").write_text("creation_rules: nonsense\n")

    assert rules(tmp_path, {**PLAIN, "kind": "ConfigMap"}) is None
    assert rules(tmp_path, secret({"a": ciphertext()}) | {"kind": "ConfigMap"}) is not None


@pytest.mark.parametrize("text", ["", "# nothing\n", "stores: {yaml: {indent: 2}}\n", "creation_rules:\n"])
def test_a_file_without_rules_takes_nothing(tmp_path: Path, text: str):
    creation = written(tmp_path, text)

    assert creation.findings == ()
    assert creation.rule_for("manifests/a.yaml") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [\n", [("MG001", "error", 2)]),
        ("- a\n", [("MG456", "error", 1)]),
        ("creation_rules: {a: b}\n", [("MG456", "error", 1)]),
        ("creation_rules: [a]\n", [("MG456", "error", 1)]),
        ("creation_rules:\n- age: a\n  path_regex: '(a'\n", [("MG456", "error", 3)]),
        ("creation_rules:\n- age: a\n  path_regex: '(?<!a)b'\n", [("MG456", "error", 3)]),
        ("creation_rules:\n- age: a\n  path_regex: 5\n", [("MG456", "error", 3)]),
        ("creation_rules:\n- path_regex: a\n", [("MG456", "warning", 2)]),
        ("creation_rules:\n- key_groups: [{}]\n", [("MG456", "warning", 2)]),
        ("creation_rules:\n- key_groups: [{age: [age1abc]}]\n", []),
        ("keys:\n- &me age1abc\ncreation_rules:\n- age: *me\n", []),
        ("creation_rules:\n- {pgp: AB}\n- {gcp_kms: a}\n- {azure_keyvault: a}\n- {hc_vault_transit_uri: a}\n", []),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_line(tmp_path: Path, text: str, told: list[tuple[str, str, int]]):
    findings = written(tmp_path, text).findings

    assert [(one.rule, one.severity, one.line) for one in findings] == told
    assert all(one.file == ".sops.yaml" and one.hint for one in findings)
