"""Which alerts of Flux's can be sent, and which addresses are credentials themselves."""

from __future__ import annotations

import pytest

from meshgen.check.alerts import alert_remarks


def rules(**alert: str) -> list[str]:
    return [remark.rule for remark in alert_remarks({"ops": alert})]


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T0/B0/hunter2",
        "https://hooks.slack.com/workflows/T0/A0/1/hunter2",
        "https://discord.com/api/webhooks/1/hunter2",
        "https://canary.discordapp.com/api/v10/webhooks/1/hunter2/slack",
        "https://acme.webhook.office.com/webhookb2/1@2/IncomingWebhook/hunter2",
        "https://outlook.office.com/webhook/hunter2",
        "https://prod-1.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=hunter2",
        "https://chat.googleapis.com/v1/spaces/AA/messages?key=hunter2&token=hunter2",
        "https://open.larksuite.com/open-apis/bot/v2/hook/hunter2",
        "https://hooks.example.com/mesh?token=hunter2",
    ],
)
def test_an_address_by_which_anyone_may_post_is_refused_and_never_printed(address: str) -> None:
    (remark,) = alert_remarks({"ops": {"address": address}})

    assert (remark.rule, remark.pointer) == ("MG212", "/delivery/flux/alerts/ops/address")
    assert "hunter2" not in f"{remark.message}{remark.hint}"


@pytest.mark.parametrize(
    "address",
    [
        "https://slack.com/api/chat.postMessage",
        "https://hooks.example.com/services/mesh",
        "https://chat.googleapis.com/v1/spaces/AA/messages",
        "https://alertmanager.example.com/api/v2/alerts?cluster=kr",
        "https://github.com/acme/webhook",
        "nats://nats.example.com:4222",
    ],
)
def test_an_address_that_says_only_where_is_taken(address: str) -> None:
    assert rules(address=address, secretRef="token") == []


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ({}, True),
        ({"type": "slack"}, True),
        ({"type": "slack", "channel": "mesh"}, True),
        ({"type": "slack", "secretRef": "url"}, False),
        ({"type": "alertmanager", "address": "https://alerts.example.com"}, False),
        ({"type": "opsgenie", "address": "https://api.opsgenie.com/v2/alerts"}, True),
        ({"type": "telegram", "channel": "-100"}, True),
        ({"type": "telegram", "channel": "-100", "secretRef": "token"}, False),
        ({"type": "nats", "address": "nats://nats.example.com"}, True),
        ({"type": "nats", "address": "nats://nats.example.com", "channel": "mesh"}, False),
    ],
)
def test_an_alert_that_is_never_sent_is_refused(alert: dict[str, str], said: bool) -> None:
    assert rules(**alert) == (["MG434"] if said else [])
