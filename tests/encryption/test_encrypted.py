"""What SOPS encrypted is checked by its own words: whole, or with the place of what is not, and never with a value."""

from __future__ import annotations

import base64

import pytest

from meshgen.build.stage import Remark
from meshgen.check.secrets import secret_remarks
from meshgen.config.document import Document
from tests.encryption.objects import KEY, Object, ciphertext, metadata, plain, secret

DOCUMENT = Document("secret.yaml", b"", {})
CLEAR = "hunter2-in-the-clear"
ENC = ciphertext()


def remarks(obj: Object) -> list[Remark]:
    return list(secret_remarks(obj, DOCUMENT, None))


def found(obj: Object) -> list[tuple[str, str]]:
    return [(remark.rule, remark.pointer) for remark in remarks(obj)]


@pytest.mark.parametrize(
    "obj",
    [
        secret({"password": ENC, "empty": "", "none": None}),
        secret({"password": ENC}, part="data"),
        secret({"port": ciphertext(sort="int"), "on": ciphertext(sort="bool"), "ratio": ciphertext(sort="float")}),
        secret({"password": ENC}, sops=metadata(age=None, pgp=[{"fp": "AB", "enc": "x"}])),
        secret({"password": ENC}, sops=metadata(age=None, key_groups=[{"kms": [{"arn": "arn:aws:kms:x"}]}])),
        secret({"password": ENC}, sops=metadata(encrypted_regex=None, encrypted_suffix="Data")),
        secret(
            {"password": ENC},
            sops=metadata(encrypted_regex=None, unencrypted_regex="^(apiVersion|kind|metadata|type)$"),
        ),
        # Only Go reads it: what it covers can't be told here.
        secret({"password": ENC, "user": CLEAR}, sops=metadata(encrypted_regex=r"^\x{64}ata$")) | {"stringData": None},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a"},
            "data": {"list": "plain", "password_enc": ENC},
            "sops": metadata(encrypted_regex=None, encrypted_suffix="_enc"),
        },
    ],
)
def test_what_is_encrypted_as_a_whole_is_no_finding(obj: Object):
    assert found(obj) == []


def test_a_value_in_the_clear_is_told_with_its_place_and_without_itself():
    (remark,) = remarks(secret({"user": ENC, "password": CLEAR}))

    assert (remark.rule, remark.severity, remark.pointer) == ("MG450", "error", "/stringData/password")
    assert remark.document is DOCUMENT
    assert "stringData.password" in remark.message
    assert CLEAR not in f"{remark.message}{remark.hint}"


@pytest.mark.parametrize("value", [CLEAR, 5, True, 0, False, 1.5, "ENC[AES256_GCM,data:AAAA]", f"{ENC} ", ENC[:-1]])
def test_numbers_booleans_and_broken_ciphertext_are_in_the_clear(value: object):
    assert found(secret({"a": value})) == [("MG450", "/stringData/a")]


def test_lists_and_maps_below_a_covered_key_are_covered():
    obj = {
        "apiVersion": "example.com/v1",
        "kind": "Settings",
        "metadata": {"name": "a"},
        "spec": {"secrets": {"list": [ENC, {"deep": CLEAR}]}, "open": [CLEAR]},
        "sops": metadata(encrypted_regex="^secrets$"),
    }

    assert found(obj) == [("MG450", "/spec/secrets/list/1/deep")]


def test_many_values_in_the_clear_are_one_finding():
    (remark,) = remarks(secret({str(number): CLEAR for number in range(9)}))

    assert "stringData.0, stringData.1, stringData.2 and 6 more" in remark.message


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        ({"encrypted_regex": "^data$"}, False),
        ({"encrypted_regex": "Data"}, True),
        ({"encrypted_suffix": "ord"}, True),
        ({"encrypted_suffix": "pass"}, False),
        ({"unencrypted_suffix": "ord"}, False),
        ({"unencrypted_suffix": "x", "encrypted_regex": "stringData"}, True),
        ({"unencrypted_regex": "^string"}, False),
    ],
)
def test_rules_are_read_as_sops_reads_them(rule: Object, covered: bool):
    obj = secret({"password": ENC}, sops=metadata(**{"encrypted_regex": None, **rule}))
    in_the_clear = [one for one in found(obj) if one == ("MG450", "/stringData/password")]

    assert (in_the_clear == []) is covered


def test_without_a_rule_sops_covers_all_but_unencrypted_keys():
    obj = secret({"a": ENC, "b_unencrypted": "x"}, sops=metadata(encrypted_regex=None))

    # It encrypts `type` too.
    assert found(obj)[0] == ("MG450", "/apiVersion")
    assert "stringData.b_unencrypted" not in remarks(obj)[0].message


@pytest.mark.parametrize("key", ["mac", "lastmodified", "version"])
def test_what_sops_needs_to_decrypt_is_missed(key: str):
    (remark,) = remarks(secret({"a": ENC}, sops=metadata(**{key: None})))

    assert (remark.rule, remark.pointer) == ("MG451", "/sops")
    assert f"no {key}" in remark.message


def test_missing_keys_are_told_together():
    (remark,) = remarks(secret({"a": ENC}, sops=metadata(age=[], mac=None)))

    assert "no mac and no key" in remark.message


def test_a_mac_that_is_no_ciphertext_is_none():
    assert found(secret({"a": ENC}, sops=metadata(mac=CLEAR))) == [("MG451", "/sops")]


def test_encrypted_names_and_kinds_mean_nothing_to_kubernetes():
    obj = secret({"a": ENC}, sops=metadata(encrypted_regex=None))
    whole = {**obj, "apiVersion": ENC, "kind": ENC, "metadata": {"name": ENC}, "type": ENC}

    (remark,) = remarks(whole)

    assert (remark.rule, remark.pointer) == ("MG452", "/metadata")
    assert "AES256" not in remark.message


@pytest.mark.parametrize("key", ["encrypted_comment_regex", "unencrypted_comment_regex"])
def test_comments_that_say_what_is_encrypted_do_not_reach_the_cluster(key: str):
    sops = metadata(**{"encrypted_regex": None, key: "sops:enc"})

    assert found(secret({"a": ENC}, sops=sops)) == [("MG452", f"/sops/{key}")]


def test_ciphertext_without_metadata_is_decrypted_by_nothing():
    assert found(plain({"user": "x", "password": ENC})) == [("MG451", "/stringData/password")]


def test_ciphertext_that_the_rule_leaves_out_is_decrypted_by_nothing():
    obj = secret({"a": ENC}) | {"immutable": ENC}

    assert found(obj) == [("MG450", "/immutable")]


def test_a_secret_in_the_clear_is_a_warning():
    (remark,) = remarks(plain({"password": CLEAR}))

    assert (remark.rule, remark.severity, remark.pointer) == ("MG503", "warning", "/stringData")
    assert CLEAR not in f"{remark.message}{remark.hint}"


def test_what_the_rule_leaves_of_a_secret_is_in_the_clear():
    obj = secret({"user": CLEAR, "password": ENC}, sops=metadata(encrypted_regex="^password$"))

    assert found(obj) == [("MG503", "/stringData/user")]


@pytest.mark.parametrize(
    "text", [f"a: {ENC}\nsops:\n    mac: {ENC}\n", '{"sops": {"mac": "ENC[x]"}}', "sops_mac=ENC[x]\n"]
)
def test_a_file_that_sops_encrypted_within_a_value_is_encrypted(text: str):
    value = base64.b64encode(text.encode()).decode()

    assert found(plain({"config.yaml": value}, part="data")) == []
    assert found(plain({"config.yaml": base64.b64encode(b"a: b").decode()}, part="data")) == [("MG503", "/data")]


@pytest.mark.parametrize(
    "obj",
    [
        plain({}),
        plain({"a": ""}),
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "a"}, "spec": {}},
        {
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {"name": "a"},
            "spec": {"encryptedData": {"password": "AgBy3i4OJSWK"}},
        },
    ],
)
def test_what_holds_no_secret_is_no_finding(obj: Object):
    assert found(obj) == []


def test_the_key_is_said_by_no_message():
    said = "".join(
        f"{remark.message}{remark.hint}" for remark in remarks(secret({"a": CLEAR}, sops=metadata(mac=None)))
    )

    assert KEY[40:50] not in said
