"""An encrypted object reaches a cluster as it was written: whole in one file, in its base or in what stands on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.encryption.objects import KEY, Object, ciphertext, metadata, plain, secret
from tests.objects import (
    Tree,
    assert_built_is_shown,
    mesh,
    meshgen,
    output_of,
    overlay,
    read_yaml,
    render_config,
    text_of,
    write_config,
)

NAME = "secret-grafana.yaml"


def manifests(folder: Path, **objects: list[Object]) -> None:
    """A file of manifests for each name."""
    for name, listed in objects.items():
        (folder / name).mkdir()
        text = "\n---\n".join(text_of(one) for one in listed)
        (folder / name / "secrets.yaml").write_text(text, encoding="utf-8")


def taking(name: str) -> Object:
    return {"resources": {"keys": {"path": f"./{name}"}}}


def files(tree: Tree, name: str = NAME) -> list[str]:
    """Where a file or a patch of a secret stands, from the tree's root."""
    stem = name.removesuffix(".yaml")
    return sorted(path.relative_to(tree.output).as_posix() for path in tree.output.rglob(f"{stem}*"))


def read(tree: Tree, path: str) -> Object:
    (found,) = read_yaml((tree.output / path).read_text())
    return found


def encrypted(data: str, name: str = "grafana") -> Object:
    return secret({"z": ciphertext(data), "a": ciphertext(data)}, name, metadata(mac=ciphertext(data)))


def test_a_secret_of_all_stands_in_the_base(kubectl: Path, tmp_path: Path):
    manifests(tmp_path, all=[encrypted("AAAA")])
    clusters = {"a": None, "b": {"patch": {"addons": {"kiali": {}}}}}

    tree = render_config(tmp_path, mesh(**taking("all")), overlay("dev", clusters=clusters))

    assert files(tree) == [f"base/1.11-operator/resources/{NAME}"]
    assert read(tree, files(tree)[0]) == encrypted("AAAA")
    assert_built_is_shown(kubectl, tree)


def test_its_keys_stand_in_their_order_so_that_sops_finds_its_mac(tmp_path: Path):
    manifests(tmp_path, all=[encrypted("AAAA")])

    tree = render_config(tmp_path, mesh(**taking("all")))

    written = read(tree, files(tree)[0])
    assert list(written) == ["apiVersion", "kind", "metadata", "type", "stringData", "sops"]
    assert list(written["stringData"]) == ["z", "a"]
    assert written["sops"]["age"][0]["enc"] == KEY


@pytest.mark.parametrize("lower", [encrypted("AAAA"), plain({"z": "x", "a": "y"})], ids=["encrypted", "plain"])
def test_a_secret_of_an_environment_is_no_patch(kubectl: Path, tmp_path: Path, lower: Object):
    other = encrypted("AAAA", "other")
    manifests(tmp_path, dev=[lower, other], prod=[encrypted("BBBB"), other])

    tree = render_config(
        tmp_path,
        mesh(**taking("dev")),
        overlay("dev", clusters={"a": None, "b": None}),
        overlay("prod", patch=taking("prod"), clusters={"c": None, "d": None}),
    )

    # Clusters that share it share its file, and what does not differ stays in the base.
    assert files(tree) == [f"environments/dev/resources/{NAME}", f"environments/prod/resources/{NAME}"]
    assert files(tree, "secret-other.yaml") == ["base/1.11-operator/resources/secret-other.yaml"]
    assert read(tree, f"environments/prod/resources/{NAME}") == encrypted("BBBB")
    assert_built_is_shown(kubectl, tree)


def test_a_secret_of_a_cluster_stands_in_each_of_its_environment(kubectl: Path, tmp_path: Path):
    manifests(tmp_path, all=[encrypted("AAAA")], own=[encrypted("BBBB")])

    tree = render_config(
        tmp_path,
        mesh(**taking("all")),
        overlay("dev", clusters={"a": None, "b": {"patch": taking("own")}}),
        overlay("prod", clusters={"c": None}),
    )

    assert files(tree) == [
        f"clusters/a/resources/{NAME}",
        f"clusters/b/resources/{NAME}",
        f"environments/prod/resources/{NAME}",
    ]
    assert_built_is_shown(kubectl, tree)


def test_many_secrets_of_many_clusters_stand_whole(kubectl: Path, tmp_path: Path):
    names = [f"s{number}" for number in range(12)]
    for number in range(4):
        manifests(tmp_path, **{f"c{number}": [encrypted(f"AA{number}{number}", name) for name in names]})
    clusters = {f"c{number}": {"patch": taking(f"c{number}")} for number in range(4)}

    tree = render_config(tmp_path, mesh(**taking("c0")), overlay("dev", clusters=clusters))

    assert not list(tree.output.rglob("secret-*.patch.yaml"))
    for number in range(4):
        assert len(list((tree.output / f"clusters/c{number}/resources").glob("secret-s*.yaml"))) == len(names)
    assert_built_is_shown(kubectl, tree)


def test_a_secret_that_one_environment_leaves_out_is_deleted_from_its_base(kubectl: Path, tmp_path: Path):
    manifests(tmp_path, all=[encrypted("AAAA")])

    tree = render_config(
        tmp_path,
        mesh(**taking("all")),
        overlay("dev", clusters={"a": None}),
        overlay("prod", patch={"resources": {"keys": None}}, clusters={"b": None}),
    )

    built = assert_built_is_shown(kubectl, tree)
    assert [len([obj for obj in objects if obj["kind"] == "Secret"]) for objects in built.values()] == [1, 0]


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_diff_says_that_it_changed_and_no_ciphertext(tmp_path: Path, form: str):
    for side, data in (("old", "AAAA"), ("new", "BBBB")):
        (tmp_path / side).mkdir()
        obj = encrypted(data * 40)
        obj["sops"]["age"][0]["enc"] = KEY.replace("bm90", data)
        manifests(tmp_path / side, all=[obj])
        render_config(tmp_path / side, mesh(**taking("all")))

    said = output_of("diff", tmp_path / "old", "-o", form, cwd=tmp_path / "new")

    assert "stringData.z" in said
    assert "(encrypted)" in said
    assert "AAAA" not in said
    assert "BBBB" not in said


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_an_explanation_says_that_it_is_encrypted_and_no_ciphertext(tmp_path: Path, kind: str):
    obj = {**encrypted("AAAA"), "kind": kind}
    manifests(tmp_path, all=[obj])
    render_config(tmp_path, mesh(**taking("all")))

    for field in ("stringData.z", "stringData", "sops.mac", "sops.age[0].enc"):
        said = output_of("explain", f"{kind}/grafana", field, cwd=tmp_path)
        assert "AAAA" not in said
        assert "bm90" not in said
        assert "(encrypted)" in said or (kind, field) == ("Secret", "stringData")


def test_a_render_leaves_the_encrypted_file_as_it_is(tmp_path: Path):
    manifests(tmp_path, all=[encrypted("AAAA")])
    before = (tmp_path / "all/secrets.yaml").read_bytes()

    render_config(tmp_path, mesh(**taking("all")))

    assert (tmp_path / "all/secrets.yaml").read_bytes() == before


@pytest.mark.parametrize(("only_encrypted", "status"), [(None, 1), (True, 0)])
def test_a_service_that_sops_encrypted_is_opened_only_where_its_mac_does_not_tell(
    tmp_path: Path, only_encrypted: bool | None, status: int
):
    service = secret({}, "web") | {"kind": "Service", "spec": {"ports": [{"port": 80}], "loadBalancerIP": ciphertext()}}
    service["sops"] = metadata(encrypted_regex="^loadBalancerIP$", mac_only_encrypted=only_encrypted)
    manifests(tmp_path, all=[{key: value for key, value in service.items() if key not in ("stringData", "type")}])
    flux = {"flux": {"url": "https://example.com/a.git", "decryption": {}}}
    write_config(tmp_path, mesh(**taking("all"), expose={"web": {}}, delivery=flux))

    done = meshgen("render", cwd=tmp_path)

    assert (done.returncode, "MG309" in done.stderr) == (status, bool(status)), done.stderr
