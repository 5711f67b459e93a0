"""The real SOPS decrypts what a tree holds: its files with their MAC, and what kustomize builds as Flux does it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meshgen.build.manifests import Manifest, Manifests
from meshgen.check.secrets import secret_remarks
from meshgen.config.creationrules import read_creation_rules
from meshgen.config.document import Document
from meshgen.yaml import emit
from tests.encryption.objects import Object, plain
from tests.encryption.test_tree import taking
from tests.layout.kustomize import build
from tests.objects import Tree, mesh, overlay, read_yaml, render_config, text_of
from tests.tools import tool

pytestmark = pytest.mark.realtools

RULE = ("--encrypted-regex", "^(data|stringData)$")
VALUES = {"user": "admin", "password": "a: b\n#c\n", "empty": "", "Zürich": "ö"}
# kustomize sorts the keys of maps; so do these, and the MAC of what is encrypted survives.
SORTED = dict(sorted(VALUES.items()))


@dataclass(frozen=True)
class Sops:
    """SOPS with an age key of its own."""

    folder: Path

    @property
    def recipient(self) -> str:
        (line,) = (one for one in (self.folder / "key.txt").read_text().splitlines() if "public key" in one)
        return line.split()[-1]

    def run(self, *args: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        own = {"SOPS_AGE_KEY_FILE": str(self.folder / "key.txt"), "HOME": str(self.folder)}
        command = [tool("sops"), *args]
        return subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=check)

    def encrypt(self, file: Path, obj: Object, *rule: str) -> None:
        """Write an object's manifest, encrypted."""
        _write(file, obj)
        self.run("encrypt", "--age", self.recipient, *rule, "--in-place", file)

    def encrypt_by(self, config: Path, file: Path, obj: Object) -> None:
        """Write an object's manifest, encrypted by the creation rules of a config."""
        _write(file, obj)
        self.run("--config", config, "encrypt", "--in-place", file)

    def decrypt(self, file: Path, *options: str) -> Object:
        printed = self.run("decrypt", "--output-type", "json", *options, file).stdout
        found: Object = json.loads(printed)
        return found


def _write(file: Path, obj: Object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text_of(obj) if file.suffix == ".json" else emit(obj), encoding="utf-8")


def age_key(folder: Path) -> Path:
    """Make a key of age in a folder; give the folder."""
    subprocess.run([tool("age-keygen"), "-o", folder / "key.txt"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def sops(tmp_path_factory: pytest.TempPathFactory) -> Sops:
    return Sops(age_key(tmp_path_factory.mktemp("sops")))


def built(kubectl: Path, tree: Tree, cluster: str) -> Object:
    (found,) = (obj for obj in build(kubectl, tree.stages(cluster)["resources"]).values() if obj["kind"] == "Secret")
    return found


def decrypted_as_flux_does(sops: Sops, obj: Object, file: Path, *options: str) -> Object:
    """Flux decrypts each object that kustomize built, as JSON, and does not ask for the MAC."""
    file.write_text(json.dumps(obj, sort_keys=True))
    return sops.decrypt(file, *options)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_each_environments_secret_is_decrypted_from_its_tree(sops: Sops, kubectl: Path, tmp_path: Path, suffix: str):
    wanted = {name: plain({**VALUES, "password": name}) for name in ("dev", "prod")}
    for name, obj in wanted.items():
        sops.encrypt(tmp_path / name / f"grafana.{suffix}", obj, *RULE)

    tree = render_config(
        tmp_path,
        mesh(**taking("dev")),
        overlay("dev", clusters={"dev": None}),
        overlay("prod", patch=taking("prod"), clusters={"prod": None}),
    )

    for name, obj in wanted.items():
        # With its MAC: the tree holds what SOPS wrote, in its order.
        assert sops.decrypt(tree.output / f"environments/{name}/resources/secret-grafana.yaml") == obj
        (source,) = read_yaml((tmp_path / name / f"grafana.{suffix}").read_text())
        assert built(kubectl, tree, name) == source
        assert decrypted_as_flux_does(sops, source, tmp_path / f"{name}.json", "--ignore-mac") == obj


def test_kustomize_sorts_keys_which_the_mac_does_not_survive(sops: Sops, kubectl: Path, tmp_path: Path):
    sops.encrypt(tmp_path / "dev" / "grafana.yaml", plain(VALUES), *RULE)
    tree = render_config(tmp_path, mesh(**taking("dev")))
    (tmp_path / "built.json").write_text(json.dumps(built(kubectl, tree, "msa"), sort_keys=True))

    done = sops.run("decrypt", tmp_path / "built.json", check=False)

    assert done.returncode != 0
    assert "MAC mismatch" in done.stderr


def test_a_mac_of_sorted_encrypted_values_alone_survives_kustomize(sops: Sops, kubectl: Path, tmp_path: Path):
    rule = {"age": sops.recipient, "encrypted_regex": RULE[1], "mac_only_encrypted": True}
    (tmp_path / ".sops.yaml").write_text(text_of({"creation_rules": [rule]}))
    sops.encrypt_by(tmp_path / ".sops.yaml", tmp_path / "dev" / "grafana.yaml", plain(SORTED))
    tree = render_config(tmp_path, mesh(**taking("dev")))

    done = decrypted_as_flux_does(sops, built(kubectl, tree, "msa"), tmp_path / "built.json")

    assert done == plain(SORTED)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (RULE, []),
        (("--encrypted-suffix", "Data"), []),
        (("--unencrypted-regex", "^(apiVersion|kind|metadata|type)$"), []),
        (("--encrypted-regex", "^password$"), ["MG503"]),
        ((), ["MG452"]),
        (("--unencrypted-suffix", "Data"), ["MG452"]),
        (("--encrypted-comment-regex", "sops:enc"), ["MG452"]),
    ],
)
def test_what_sops_writes_is_judged_by_its_rule(sops: Sops, tmp_path: Path, rule: tuple[str, ...], told: list[str]):
    file = tmp_path / "grafana.yaml"
    sops.encrypt(file, plain({**VALUES, "port": "5", "none": None}), *rule)
    (obj,) = read_yaml(file.read_text())

    remarks: list[Any] = list(secret_remarks(obj, Document("grafana.yaml", file.read_bytes(), obj), None))

    assert [remark.rule for remark in remarks] == told


def test_what_is_told_to_be_broken_sops_does_not_decrypt(sops: Sops, tmp_path: Path):
    file = tmp_path / "grafana.yaml"
    sops.encrypt(file, plain(VALUES), *RULE)
    (obj,) = read_yaml(file.read_text())
    half = {**obj, "stringData": {**obj["stringData"], "user": "admin"}}
    keyless = {**obj, "sops": {**obj["sops"], "age": []}}
    without_mac = {**obj, "sops": {key: value for key, value in obj["sops"].items() if key != "mac"}}

    for broken, rule in ((half, "MG450"), (keyless, "MG451"), (without_mac, "MG451")):
        _write(file, broken)
        assert [one.rule for one in secret_remarks(broken, Document("a", b"", {}), None)] == [rule]
        assert sops.run("decrypt", file, check=False).returncode != 0


@pytest.mark.parametrize(
    ("regex", "file"),
    [
        ("^manifests/.*[.]yaml$", "manifests/a.yaml"),
        ("^manifests/.*[.]yaml$", "other/manifests/a.yaml"),
        ("prod", "manifests/prod/a.yaml"),
        (r"\Aa[.]yaml\z", "a.yaml"),
        ("a[.]json$", "a.yaml"),
    ],
)
def test_creation_rules_take_the_files_that_sops_takes_by_them(sops: Sops, tmp_path: Path, regex: str, file: str):
    config = {"creation_rules": [{"path_regex": regex, "age": sops.recipient, "encrypted_regex": RULE[1]}]}
    (tmp_path / ".sops.yaml").write_text(text_of(config))
    obj = plain(VALUES)
    _write(tmp_path / file, obj)
    manifest = Manifest(obj, Document(file, b"", {}))

    creation = read_creation_rules(tmp_path, Manifests(of_resources={"a": (manifest,)}))

    taken = sops.run("--config", tmp_path / ".sops.yaml", "encrypt", tmp_path / file, check=False).returncode == 0
    assert creation is not None
    # What only Go reads is not judged.
    assert (creation.rule_for(file) is not None) is taken or "\\z" in regex
