"""What clusters share is written once: a tree grows by a handful of small files a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.objects import Object, files_of, mesh, overlay, render, render_config, text_of, write_config

SOURCE: Object = {"url": "https://example.com/mesh.git"}
HUB: Object = {**SOURCE, "kubeConfig": {}}
WAVES: Object = {"canary": {"order": 1, "labels": {"tier": "canary"}}, "rest": {"order": 2}}
ADDONS: Object = {"prometheus": {}, "grafana": {}, "jaeger": {}, "kiali": {}}
INTERNAL: Object = {"kiali": {"internal": True}, "grafana": {"internal": True}}


def clusters(count: int, clouds: tuple[str, ...] = ("azure",)) -> Object:
    return {
        f"c{number:04}": {
            "cloud": clouds[number % len(clouds)],
            "server": f"https://c{number:04}.example.com",
            "labels": {"tier": "canary" if number % 10 == 0 else "other"},
        }
        for number in range(count)
    }


def size(folder: Path, delivery: Object, entries: Object, expose: Object) -> tuple[int, int]:
    """(files, bytes) of a tree but for the inventory."""
    config = mesh(addons=ADDONS, expose=expose, delivery=delivery)
    tree = render_config(folder, config, overlay("prod", clusters=entries))
    files = [content for path, content in files_of(tree.output).items() if not path.startswith(".meshgen/")]
    return len(files), sum(map(len, files))


@pytest.mark.parametrize(
    ("delivery", "files"),
    [
        ({"flux": SOURCE}, 2),
        ({"flux": HUB, "waves": WAVES}, 2),
        ({"argocd": SOURCE}, 4),
        ({"argocd": SOURCE, "waves": WAVES}, 3),
        ({"argocd": {**SOURCE, "applicationSet": True}, "waves": WAVES}, 2),
    ],
    ids=["flux", "hub", "argocd", "roots", "set"],
)
def test_a_cluster_costs_its_wiring(tmp_path: Path, delivery: Object, files: int):
    few = size(tmp_path / "few", delivery, clusters(20), {"kiali": {}})
    many = size(tmp_path / "many", delivery, clusters(120), {"kiali": {}})

    assert many[0] - few[0] == 100 * files
    assert many[1] - few[1] < 100 * 6000


def test_a_cluster_of_another_cloud_costs_a_patch_for_each_service_that_differs(tmp_path: Path):
    clouds = ("azure", "aws", "gcp")
    few = size(tmp_path / "few", {"flux": SOURCE}, clusters(21, clouds), INTERNAL)
    many = size(tmp_path / "many", {"flux": SOURCE}, clusters(120, clouds), INTERNAL)

    # The wiring, and the stage that opens both Services.
    assert many[0] - few[0] == 99 * (2 + 3)
    assert many[1] - few[1] < 99 * 3000


def test_an_environment_may_be_a_folder_of_files(tmp_path: Path):
    config = mesh(addons=ADDONS, delivery={"flux": HUB, "waves": WAVES})
    entries = clusters(20)
    whole = render_config(tmp_path / "whole", config, overlay("prod", clusters=entries))

    folder = tmp_path / "parted"
    write_config(folder, config)
    (folder / "overlays" / "prod").mkdir()
    for number in range(4):
        part = {name: entries[name] for name in list(entries)[5 * number : 5 * number + 5]}
        file = folder / "overlays" / "prod" / f"part-{number}.yaml"
        file.write_text(text_of(overlay("prod", clusters=part)), encoding="utf-8")

    assert files_of(render(folder).output) == files_of(whole.output)
