"""What `delivery.flux.alerts` must say for an alert ever to be sent, and what of it no repository may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import Remark
from meshgen.credentialshapes import WEBHOOK
from meshgen.yaml import pointer

# Of notification-controller: the types whose notifier refuses to be made without a token, and without a channel.
_BY_TOKEN = frozenset(
    {
        "bitbucket",
        "bitbucketserver",
        "datadog",
        "generic-hmac",
        "gitea",
        "github",
        "githubdispatch",
        "gitlab",
        "opsgenie",
        "telegram",
    }
)
_BY_CHANNEL = {"googlepubsub": "the topic", "nats": "the subject", "telegram": "the chat"}
# What else lets whoever reads an address post there; `key` is Google Chat's alone.
_CREDENTIAL = re.compile(
    r"[?&](sig|token|access_token|private_token|password|api_?key)=.|^https://chat\.googleapis\.com/.*[?&]key=.", re.I
)


def alert_remarks(alerts: dict[str, Any]) -> Iterator[Remark]:
    """What is wrong with the alerts of a cluster; the pointers lead into its settings."""
    for name, said in alerts.items():
        yield from _alert(name, said or {})


def _alert(name: str, alert: dict[str, Any]) -> Iterator[Remark]:
    kind, address = alert.get("type") or "generic", alert.get("address")
    what, at = f"delivery.flux.alerts.{name}", pointer(["delivery", "flux", "alerts", name])
    if not alert.get("secretRef"):
        if kind in _BY_TOKEN:
            hint = "name a Secret in Flux's namespace, with the token under `token`"
            yield Remark("MG434", f"{what}: {kind} is told nothing without a token", at, hint, at_key=True)
        elif not address:
            hint = "say address; one that is a secret belongs into a Secret under `address`, which secretRef names"
            yield Remark("MG434", f"{what}: where to? There is neither address nor secretRef", at, hint, at_key=True)
    if kind in _BY_CHANNEL and not alert.get("channel"):
        message = f"{what}: {kind} is told nothing without {_BY_CHANNEL[kind]}"
        yield Remark("MG434", message, at, "say channel", at_key=True)
    if address and (WEBHOOK.match(address) or _CREDENTIAL.search(address)):
        message = f"{what}.address is a credential: whoever reads it can post there"
        hint = "put it into a Secret under `address`, and name that by secretRef; have it replaced where it was pushed"
        yield Remark("MG212", message, f"{at}/address", hint)
