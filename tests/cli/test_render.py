"""`meshgen render` and `validate`: what they print, what they exit with, and what they leave alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from meshgen.cli import main
from meshgen.tree.write import locked
from tests.objects import copy_example, files_of, mesh, meshgen, write_config

SERVICE = "environments/staging/addons/service-kiali.patch.yaml"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    folder = copy_example(tmp_path / "example") if (tmp_path / "example").mkdir() is None else tmp_path
    assert meshgen("render", cwd=folder).returncode == 0
    return folder


def schema(name: str) -> dict[str, object]:
    printed: dict[str, object] = json.loads(meshgen("schema", name, cwd=Path.cwd()).stdout)
    return printed


def test_a_second_render_writes_nothing(example: Path):
    before = {path: path.stat().st_mtime_ns for path in example.rglob("*")}

    done = meshgen("render", "-o", "json", cwd=example)

    report = json.loads(done.stdout)
    assert (report["written"], report["deleted"], done.returncode) == (0, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in example.rglob("*")} == before


def test_json_of_render_is_what_the_schema_says(example: Path):
    report = json.loads(meshgen("render", "-o", "json", cwd=example).stdout)

    jsonschema.validate(report, schema("render"))
    assert [stage["name"] for stage in report["clusters"][0]["stages"]] == ["namespaces", "operator", "istio", "addons"]


def test_json_of_an_input_error_is_what_the_schema_says_and_writes_nothing(tmp_path: Path):
    write_config(tmp_path, mesh(expose={"kialii": {}}, addons={"kiali": {}}))

    done = meshgen("render", "-o", "json", cwd=tmp_path)
    validated = meshgen("validate", "-o", "json", cwd=tmp_path)

    report = json.loads(done.stdout)
    jsonschema.validate(report, schema("render"))
    jsonschema.validate(json.loads(validated.stdout), schema("validate"))
    assert report["clusters"] == []
    assert report["findings"] == json.loads(validated.stdout)["findings"]
    assert (done.returncode, validated.returncode) == (1, 1)
    assert not (tmp_path / "output").exists()


def test_check_names_what_differs_and_changes_nothing(example: Path):
    config = example / "overlays/staging.yaml"
    config.write_text(config.read_text().replace("10.0.0.0/8", "10.1.0.0/16"))
    before = files_of(example)

    done = meshgen("render", "--check", cwd=example)

    assert done.returncode == 1
    assert f"~ output/{SERVICE}" in done.stdout
    assert files_of(example) == before


def test_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path):
    copy_example(tmp_path)

    done = meshgen("render", "--dry-run", cwd=tmp_path)

    assert done.returncode == 0
    assert "+ output/README.md" in done.stdout
    assert not (tmp_path / "output").exists()


def test_an_edited_file_is_refused_until_overwrite_insists(example: Path):
    edited = example / "output" / SERVICE
    rendered = edited.read_text()
    edited.write_text(rendered.replace("10.0.0.0/8", "0.0.0.0/0"))

    refused = meshgen("render", cwd=example)
    checked = meshgen("render", "--check", cwd=example)
    after_refusal = edited.read_text()
    insisted = meshgen("render", "--overwrite", cwd=example)

    assert (refused.returncode, checked.returncode, insisted.returncode) == (1, 1, 0)
    assert f"{SERVICE}" in refused.stderr
    assert "MG602" in refused.stderr
    assert "0.0.0.0/0" in after_refusal
    assert edited.read_text() == rendered


def test_files_of_others_stay_where_they_are(example: Path):
    foreign = example / "output/clusters/dev/notes.txt"
    foreign.write_text("mine")
    (example / "overlays/dev.yaml").unlink()

    assert meshgen("render", cwd=example).returncode == 0

    assert foreign.read_text() == "mine"
    assert not (example / "output/clusters/dev/flux").exists()
    assert not (example / "output/environments/dev").exists()


def test_quiet_prints_nothing_and_verbose_names_every_file(example: Path):
    (example / "output" / SERVICE).unlink()

    verbose = meshgen("render", "-v", cwd=example)
    quiet = meshgen("render", "-q", cwd=example)

    assert f"+ output/{SERVICE}" in verbose.stdout
    assert (quiet.stdout, quiet.stderr, quiet.returncode) == ("", "", 0)


def test_no_escape_codes_reach_what_is_no_terminal(tmp_path: Path):
    write_config(tmp_path, mesh(addons={"kiali": {}}, expose={"kiali": {}}))

    done = meshgen("validate", cwd=tmp_path)

    assert "warning MG501" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_tree_that_is_a_file_is_an_environment_failure(tmp_path: Path):
    copy_example(tmp_path)
    (tmp_path / "output").write_text("in the way")

    done = meshgen("render", cwd=tmp_path)

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert (tmp_path / "output").read_text() == "in the way"


def test_the_same_bytes_come_out_wherever_and_whenever(tmp_path: Path):
    folder = copy_example(tmp_path / "example") if (tmp_path / "example").mkdir() is None else tmp_path
    surroundings = [
        {"LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "1", "TZ": "Asia/Seoul"},
        {"LANG": "en_US.UTF-8", "PYTHONHASHSEED": "2", "TZ": "UTC"},
    ]
    trees = []
    for number, env in enumerate(surroundings):
        target = tmp_path / f"tree{number}"
        assert meshgen("render", "-c", folder / "meshgen.yaml", "-O", target, cwd=tmp_path, env=env).returncode == 0
        trees.append(files_of(target))

    assert trees[0] == trees[1]


def test_text_that_the_locale_can_not_print_is_no_bug(tmp_path: Path):
    kiali = {"type": "LoadBalancerr", "public": "한글", "annotations": {"example.com/name": "한글"}}
    write_config(tmp_path, mesh(addons={"kiali": {}}, expose={"kiali": kiali}))
    env = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = meshgen("validate", cwd=tmp_path, env=env)
    kiali["type"] = "LoadBalancer"
    write_config(tmp_path, mesh(addons={"kiali": {}}, expose={"kiali": kiali}))
    show = meshgen("show", "Service/kiali", cwd=tmp_path, env=env)

    assert done.returncode == 1
    assert show.returncode == 0, show.stderr
    assert "한글" in show.stdout


def test_a_bug_is_one_line_and_a_saved_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    write_config(tmp_path, mesh())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("meshgen.render.resolve", lambda _: 1 // 0)

    with pytest.raises(SystemExit) as left:
        main(["render"])

    said = capsys.readouterr().err
    assert left.value.code == 70
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in next(tmp_path.glob("meshgen-*.log")).read_text()
    with pytest.raises(ZeroDivisionError):
        main(["render", "--debug"])


def test_a_reader_that_goes_away_is_no_error(example: Path):
    command = f"{sys.executable} -m meshgen show -q | head -n 1"

    done = subprocess.run(["bash", "-c", command], cwd=example, capture_output=True, text=True, check=False)

    assert done.stdout == "apiVersion: v1\n"
    assert done.stderr == ""


def test_a_full_disk_behind_stdout_is_an_environment_failure(example: Path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "meshgen", "show", "-q"],
            cwd=example,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 3
    assert done.stderr.count("\n") == 2
    assert "No space left" in done.stderr


def test_an_interrupted_render_says_so_and_leaves_the_old_tree(example: Path):
    (example / "overlays/prod.yaml").unlink()
    before = files_of(example / "output")

    # A run that waits for another one is surely under way when it is interrupted.
    with locked(example / "output"):
        process = subprocess.Popen(
            [sys.executable, "-m", "meshgen", "render", "-q"], cwd=example, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        waiting = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert waiting.startswith("waiting for another meshgen")
    assert process.returncode == 130
    assert said.strip() == "interrupted: nothing half-written remains"
    assert files_of(example / "output") == before


def test_json_of_a_check_that_fails_counts_what_differs(example: Path):
    (example / "output" / SERVICE).unlink()

    done = meshgen("render", "--check", "-o", "json", cwd=example)

    report = json.loads(done.stdout)
    jsonschema.validate(report, schema("render"))
    assert (report["written"], report["deleted"], done.returncode) == (1, 0, 1)
    assert not (example / "output" / SERVICE).exists()


def test_json_of_an_edited_tree_is_what_the_schema_says(example: Path):
    (example / "output" / SERVICE).write_text("mine")

    done = meshgen("render", "-o", "json", cwd=example)

    report = json.loads(done.stdout)
    jsonschema.validate(report, schema("render"))
    assert [finding["rule"] for finding in report["findings"]] == ["MG602"]
    assert done.returncode == 1


def test_a_quiet_check_still_names_what_differs(example: Path):
    (example / "output" / SERVICE).unlink()

    done = meshgen("render", "--check", "-q", cwd=example)

    assert f"+ output/{SERVICE}" in done.stdout
    assert done.returncode == 1
