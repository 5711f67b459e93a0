"""`meshgen explain` on the command line: the schema's help as ever, and where a field comes from."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click import UsageError

from meshgen.cli import cli
from meshgen.errors import InputError
from meshgen.provenance.format import FORMAT
from meshgen.provenance.secrecy import HIDDEN
from tests.objects import mesh, output_of, overlay, write_config
from tests.tools import PROJECT


def test_one_word_is_a_key_of_the_config():
    assert output_of("explain", "expose.kiali.type", cwd=PROJECT).startswith("expose.kiali.type (string)\n")
    assert output_of("explain", cwd=PROJECT).startswith("meshgen.yaml (object)\n")


def test_object_without_a_field_is_told_how_to_ask():
    with pytest.raises(InputError) as caught:
        cli.main(["explain", "Service/kiali"], standalone_mode=False)
    assert "which field" in caught.value.findings[0].message


def test_four_words_are_too_many():
    with pytest.raises(UsageError):
        cli.main(["explain", "a", "b", "c", "d"], standalone_mode=False)


def test_text_names_value_file_and_layers():
    text = output_of("explain", "prod-us", "Service/kiali", "spec.loadBalancerSourceRanges", cwd=PROJECT)
    assert text == (
        "Service/kiali.istio-system spec.loadBalancerSourceRanges\n"
        "\n"
        'prod-us: ["10.64.0.0/10"]\n'
        "  in clusters/prod-us/addons/service-kiali.patch.yaml\n"
        "  built in: not there (meshgen, in stage addons)\n"
        "  expose.kiali.sourceRanges sets it\n"
        '    overlays/staging.yaml:17:51  ["10.0.0.0/8"]\n'
        '    overlays/prod.yaml:28:31     ["10.64.0.0/10"]  <- wins\n'
        "  addons.kiali brings the object\n"
        "    meshgen.yaml:17:10  {}\n"
    )


@pytest.mark.parametrize("words", [("prod-us", "Deployment/jaeger", "spec"), ("Service/grafana", "spec.type")])
def test_json_is_what_its_schema_says(words: tuple[str, ...]):
    jsonschema.Draft7Validator.check_schema(FORMAT)
    printed = json.loads(output_of("explain", *words, "-o", "json", cwd=PROJECT))
    jsonschema.validate(printed, FORMAT, cls=jsonschema.Draft7Validator)


def test_value_that_may_be_a_secret_is_printed_by_no_format(tmp_path: Path):
    own = "addons:\n  kiali: {source: helm, values: {auth: {password: hunter22, tokens: [hunter23]}}}\n"
    write_config(tmp_path, mesh(), overlay("dev", clusters={"dev": None}))
    config = tmp_path / "meshgen.yaml"
    config.write_text(
        f"apiVersion: meshgen.dev/v1\nkind: Mesh\nmetadata: {{name: msa}}\nistio: {{version: 1.11.3}}\n{own}"
        "policy: {severity: {MG537: warning}}\n"
    )
    for field in ("spec.values.auth.password", "spec.values", "spec", "spec.values.auth.tokens[0]"):
        for options in ((), ("-o", "json")):
            printed = output_of("explain", "HelmRelease/kiali", field, *options, cwd=tmp_path)
            assert "hunter" not in printed
            assert HIDDEN[:10] in printed


def test_clusters_of_one_answer_stand_together(tmp_path: Path):
    clusters = {f"c{number}": {"cloud": "aws" if number > 11 else "azure"} for number in range(14)}
    exposed = mesh(addons={"kiali": {}}, expose={"kiali": {"internal": True}})
    write_config(tmp_path, exposed, overlay("prod", clusters=clusters))
    field = 'metadata.annotations["service.beta.kubernetes.io/azure-load-balancer-internal"]'
    lines = output_of("explain", "Service/kiali", field, cwd=tmp_path).splitlines()
    assert '12 of 14 clusters: "true"' in lines
    assert "2 of 14 clusters (c12, c13): the field is not there" in lines
