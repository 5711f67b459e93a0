"""A rule of a user's own, for tests that need one."""

from __future__ import annotations

RULE = """\
apiVersion: meshgen.dev/v1
kind: Rule
id: OWN-BALANCER
title: a load balancer
hint: say type ClusterIP
match: {kinds: [Service]}
expression: "!has(object.spec.type) || object.spec.type != 'LoadBalancer'"
tests:
  - {object: {spec: {}}, passes: true}
  - {object: {spec: {type: LoadBalancer}}, passes: false}
"""
