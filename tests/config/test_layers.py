from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from meshgen.config.load import load
from meshgen.config.resolve import Cluster, Mesh, resolve
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.render import build_mesh, render
from meshgen.show import select

MESH = """\
apiVersion: meshgen.dev/v1
kind: Mesh
metadata: {name: msa}
istio:
  version: 1.11.3
  meshConfig: {defaultConfig: {proxyMetadata: {where: mesh, mesh: set}}}
addons:
  grafana: {}
  kiali: {}
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in {"meshgen.yaml": MESH, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "meshgen.yaml"


def overlay(name: str, body: str) -> str:
    return f"apiVersion: meshgen.dev/v1\nkind: Overlay\nmetadata: {{name: {name}}}\n{body}"


def said(**metadata: str) -> str:
    """Settings, as YAML, of a place where Istio takes any name."""
    return json.dumps({"istio": {"meshConfig": {"defaultConfig": {"proxyMetadata": metadata}}}})


def resolved(folder: Path, files: dict[str, str]) -> Mesh:
    return resolve(load(write(folder, files)))


def cluster(mesh: Mesh, name: str) -> Cluster:
    return next(one for one in mesh.clusters if one.name == name)


def metadata(settings: dict[str, Any]) -> dict[str, Any]:
    """What the settings hold of it, which is all that their mesh config holds."""
    config: dict[str, Any] = settings["istio"]["meshConfig"]
    assert (list(config), list(config["defaultConfig"])) == (["defaultConfig"], ["proxyMetadata"])
    found: dict[str, Any] = config["defaultConfig"]["proxyMetadata"]
    return found


def metadata_of(mesh: Mesh, name: str) -> dict[str, Any]:
    return metadata(cluster(mesh, name).settings)


def findings(folder: Path, files: dict[str, str]) -> list[Finding]:
    try:
        return list(render(write(folder, files)).findings)
    except InputError as error:
        return list(error.findings)


def place(finding: Finding) -> tuple[str | None, int | None, int | None, str | None]:
    return finding.file, finding.line, finding.column, finding.path


def test_without_an_overlay_the_mesh_is_one_environment_and_one_cluster(tmp_path: Path) -> None:
    mesh = resolved(tmp_path, {})

    only = cluster(mesh, "msa")
    assert [environment.name for environment in mesh.environments] == ["msa"]
    assert (only.environment, only.cloud, only.kubernetes) == ("msa", "generic", None)
    assert only.server == "https://kubernetes.default.svc"
    assert only.settings == mesh.settings


def test_cluster_lies_over_overlay_and_overlay_over_mesh(tmp_path: Path) -> None:
    dev = overlay(
        "dev",
        "clusters:\n"
        f"  one: {{patch: {said(where='cluster', cluster='set')}}}\n"
        "  two: {}\n"
        f"patch: {said(where='overlay', overlay='set')}\n",
    )

    mesh = resolved(tmp_path, {"overlays/dev.yaml": dev})

    assert metadata_of(mesh, "one") == {"where": "cluster", "mesh": "set", "overlay": "set", "cluster": "set"}
    assert metadata_of(mesh, "two") == {"where": "overlay", "mesh": "set", "overlay": "set"}
    assert metadata(mesh.settings) == {"where": "mesh", "mesh": "set"}


def test_extended_overlays_lie_below_along_the_whole_chain(tmp_path: Path) -> None:
    files = {
        f"overlays/{name}.yaml": overlay(
            name,
            (f"extends: {below}\n" if below else "")
            + f"clusters: {{{name}-1: {{}}}}\npatch: {said(**{'where': name, name: 'set'})}\n",
        )
        for name, below in (("a", None), ("b", "a"), ("c", "b"))
    }

    mesh = resolved(tmp_path, files)

    assert metadata_of(mesh, "c-1") == {"where": "c", "mesh": "set", "a": "set", "b": "set", "c": "set"}
    assert metadata_of(mesh, "b-1") == {"where": "b", "mesh": "set", "a": "set", "b": "set"}
    assert metadata_of(mesh, "a-1") == {"where": "a", "mesh": "set", "a": "set"}


def test_extends_takes_the_patch_and_never_the_clusters(tmp_path: Path) -> None:
    mesh = resolved(
        tmp_path,
        {
            "overlays/a.yaml": overlay("a", "clusters: {a-1: {cloud: azure}}\n"),
            "overlays/b.yaml": overlay("b", "extends: a\nclusters: {b-1: {}}\n"),
        },
    )

    assert [(one.name, one.environment, one.cloud) for one in mesh.clusters] == [
        ("a-1", "a", "azure"),
        ("b-1", "b", "generic"),
    ]


def test_an_overlay_without_clusters_serves_those_that_extend_it(tmp_path: Path) -> None:
    mesh = resolved(
        tmp_path,
        {
            "overlays/shared.yaml": overlay("shared", f"patch: {said(shared='set')}\n"),
            "overlays/dev.yaml": overlay("dev", "extends: shared\nclusters: {dev: {}}\n"),
        },
    )

    assert [environment.name for environment in mesh.environments] == ["dev"]
    assert metadata_of(mesh, "dev")["shared"] == "set"


def test_a_chain_of_overlays_may_be_longer_than_pythons_stack(tmp_path: Path) -> None:
    length = 1200
    files = {
        f"overlays/o{number}.yaml": overlay(
            f"o{number}", (f"extends: o{number - 1}\n" if number else "") + f"patch: {said(a='set')}\n"
        )
        for number in range(length)
    }
    last = f"overlays/o{length - 1}.yaml"
    files[last] += "clusters: {deep: {}}\n"

    assert metadata_of(resolved(tmp_path, files), "deep")["a"] == "set"


def test_a_folder_is_one_environment_of_several_files(tmp_path: Path) -> None:
    mesh = resolved(
        tmp_path,
        {
            "overlays/prod/a.yaml": overlay("prod", f"clusters: {{eu: {{}}}}\npatch: {said(where='prod', a='set')}\n"),
            "overlays/prod/b.yaml": overlay(
                "prod", f"clusters: {{us: {{cloud: aws}}}}\npatch: {said(where='prod', b='set')}\n"
            ),
            "overlays/prod/README.md": "not an overlay\n",
            "overlays/.hidden.yaml": "not: an overlay\n",
        },
    )

    assert [(environment.name, len(environment.clusters)) for environment in mesh.environments] == [("prod", 2)]
    # The patches of all files hold for all clusters.
    expected = {"where": "prod", "mesh": "set", "a": "set", "b": "set"}
    assert metadata_of(mesh, "eu") == metadata_of(mesh, "us") == expected


def test_a_file_of_a_folder_may_extend_what_another_does_not(tmp_path: Path) -> None:
    mesh = resolved(
        tmp_path,
        {
            "overlays/shared.yaml": overlay("shared", f"patch: {said(where='shared', shared='set')}\n"),
            "overlays/prod/a.yaml": overlay("prod", f"clusters: {{eu: {{}}}}\npatch: {said(where='a')}\n"),
            "overlays/prod/b.yaml": overlay("prod", "extends: shared\nclusters: {us: {}}\n"),
        },
    )

    assert metadata_of(mesh, "eu") == metadata_of(mesh, "us") == {"where": "a", "mesh": "set", "shared": "set"}


def test_null_in_a_cluster_takes_away_what_mesh_and_overlay_set(tmp_path: Path) -> None:
    dev = overlay(
        "dev",
        "clusters:\n"
        "  one:\n"
        "    patch:\n"
        "      addons: {kiali: null}\n"
        "      istio: {meshConfig: {defaultConfig: {proxyMetadata: {mesh: null, never: null}}}}\n"
        "  two: {}\n"
        "patch: {addons: {kiali: {version: v1.38.0}}}\n",
    )

    mesh = resolved(tmp_path, {"overlays/dev.yaml": dev})

    assert cluster(mesh, "one").settings["addons"] == {"grafana": {}}
    assert metadata_of(mesh, "one") == {"where": "mesh", "never": None}
    assert cluster(mesh, "two").settings["addons"] == {"grafana": {}, "kiali": {"version": "v1.38.0"}}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, ("meshgen.yaml", 8, 21, "/addons/grafana/secret"), id="mesh"),
        pytest.param(
            {"overlays/dev.yaml": overlay("dev", "clusters: {dev: {}}\npatch: {addons: {grafana: {version: v1}}}\n")},
            ("meshgen.yaml", 8, 21, "/addons/grafana/secret"),
            id="mesh, though the overlay says something else of the same addon",
        ),
        pytest.param(
            {
                "overlays/dev.yaml": overlay(
                    "dev", "clusters: {dev: {}}\npatch:\n  addons: {grafana: {secret: other}}\n"
                )
            },
            ("overlays/dev.yaml", 6, 30, "/patch/addons/grafana/secret"),
            id="overlay",
        ),
        pytest.param(
            {
                "overlays/a.yaml": overlay("a", "patch:\n  addons: {grafana: {secret: other}}\n"),
                "overlays/dev.yaml": overlay("dev", "extends: a\nclusters: {dev: {}}\n"),
            },
            ("overlays/a.yaml", 5, 30, "/patch/addons/grafana/secret"),
            id="extended overlay",
        ),
        pytest.param(
            {
                "overlays/dev/a.yaml": overlay("dev", "clusters: {dev: {}}\n"),
                "overlays/dev/b.yaml": overlay("dev", "patch:\n  addons: {grafana: {secret: other}}\n"),
            },
            ("overlays/dev/b.yaml", 5, 30, "/patch/addons/grafana/secret"),
            id="another file of the folder",
        ),
        pytest.param(
            {
                "overlays/dev.yaml": overlay(
                    "dev",
                    "clusters:\n  dev:\n    patch:\n      addons: {grafana: {secret: mine}}\n"
                    "patch:\n  addons: {grafana: {secret: other}}\n",
                )
            },
            ("overlays/dev.yaml", 7, 34, "/clusters/dev/patch/addons/grafana/secret"),
            id="cluster",
        ),
    ],
)
def test_a_finding_stands_where_the_uppermost_layer_says_it(
    tmp_path: Path, files: dict[str, str], expected: tuple[str, int, int, str]
) -> None:
    # Grafana of one's own manifests takes no secret, wherever that is said.
    source = {"own.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n"}
    mesh = MESH.replace("grafana: {}", "grafana: {secret: mesh, source: ./own.yaml}")

    found = [one for one in findings(tmp_path, {"meshgen.yaml": mesh, **source, **files}) if one.rule == "MG210"]

    assert expected in [place(one) for one in found]


def test_a_problem_that_clusters_share_is_said_once(tmp_path: Path) -> None:
    dev = overlay("dev", "clusters: {one: {}, two: {}, three: {}}\n")
    mesh = MESH.replace("version: 1.11.3", "version: 1.11.3\n  profile: nothing")

    found = findings(tmp_path, {"meshgen.yaml": mesh, "overlays/dev.yaml": dev})

    assert [(one.rule, one.line) for one in found] == [("MG204", 6)]


def test_what_a_cluster_lacks_is_told_at_the_layer_that_took_it(tmp_path: Path) -> None:
    dev = overlay("dev", "clusters:\n  one: {}\n  two:\n    patch:\n      istio: {version: null}\n")

    found = findings(tmp_path, {"overlays/dev.yaml": dev})

    assert [place(one) for one in found] == [("overlays/dev.yaml", 8, 14, "/clusters/two/patch/istio")]


def test_a_config_is_found_wherever_it_lies_and_findings_name_files_beside_it(tmp_path: Path) -> None:
    mesh = MESH.replace("kiali: {}", "kiali: {source: ./own.yaml}")
    own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"

    found = findings(tmp_path / "somewhere", {"meshgen.yaml": mesh, "own.yaml": own})

    assert [(one.file, one.line, one.column) for one in found] == [("own.yaml", 3, 11)]


FLEET = {
    "overlays/dev.yaml": overlay(
        "dev",
        "clusters:\n"
        "  plain: {cloud: azure}\n"
        "  patched:\n"
        "    cloud: azure\n"
        "    patch:\n"
        "      istio:\n"
        "        meshConfig: {defaultConfig: {statusPort: 15020}}\n"
        "        components: {ingressGateways: {gw: {k8s: {replicaCount: 3}}}}\n"
        "      addons: {kiali: {resources: {limits: {memory: 2Gi}}}}\n"
        "      expose: {grafana: {internal: true, annotations: {a: b}}}\n"
        "patch:\n"
        "  istio:\n"
        "    meshConfig: {defaultConfig: {concurrency: 1}}\n"
        "    components: {ingressGateways: [{name: gw, enabled: true}]}\n"
        "  expose: {grafana: {public: demo}, kiali: {public: demo}}\n",
    )
}


def test_rendering_twice_gives_the_same_and_changes_no_setting(tmp_path: Path) -> None:
    config = write(tmp_path, FLEET)
    first = build_mesh(config)
    before = deepcopy([one.cluster.settings for one in first.clusters])

    files = [render(config).files for _ in range(2)]

    assert files[0] == files[1]
    assert [one.cluster.settings for one in first.clusters] == before
    assert [one.cluster.settings for one in build_mesh(config).clusters] == before


def test_a_patch_of_one_cluster_changes_no_other_cluster(tmp_path: Path) -> None:
    config = write(tmp_path / "with", FLEET)

    beside, _ = select(config, clusters=("plain",), stage=None, objects=())
    apart = _plain_only(tmp_path / "apart")

    assert [one.object for one in beside] == apart


def _plain_only(folder: Path) -> list[dict[str, Any]]:
    text = FLEET["overlays/dev.yaml"]
    start, end = text.index("  patched:"), text.index("\npatch:\n") + 1
    config = write(folder, {"overlays/dev.yaml": text[:start] + text[end:]})
    shown, _ = select(config, clusters=("plain",), stage=None, objects=())
    return [one.object for one in shown]
