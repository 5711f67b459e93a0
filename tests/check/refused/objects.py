"""Objects that a server takes, with most of the fields that its own validation looks at: what mutants are made of."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
_OF_CLUSTERS = Path(__file__).with_name("clusterobjects.yaml")

_POD = """
restartPolicy: Always
serviceAccountName: one
hostname: one
nodeSelector: {kubernetes.io/os: linux}
imagePullSecrets: [{name: registry}]
hostAliases: [{ip: 10.0.0.7, hostnames: [db.example.com]}]
dnsPolicy: None
dnsConfig: {nameservers: [10.0.0.10]}
tolerations:
- {key: dedicated, operator: Equal, value: web, effect: NoExecute, tolerationSeconds: 30}
- {operator: Exists}
topologySpreadConstraints:
- maxSkew: 1
  topologyKey: zone
  whenUnsatisfiable: DoNotSchedule
  minDomains: 2
  labelSelector: {matchLabels: {app: a}}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, values: [ssd]}]}]
    preferredDuringSchedulingIgnoredDuringExecution:
    - {weight: 5, preference: {matchExpressions: [{key: size, operator: Exists}]}}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
    - {weight: 100, podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {app: a}}}}
    requiredDuringSchedulingIgnoredDuringExecution:
    - {topologyKey: host, labelSelector: {matchExpressions: [{key: app, operator: NotIn, values: [b]}]}}
terminationGracePeriodSeconds: 20
securityContext:
  runAsUser: 1000
  fsGroup: 1000
  seccompProfile: {type: RuntimeDefault}
  sysctls: [{name: net.ipv4.tcp_syncookies, value: "1"}, {name: kernel/shm_rmid_forced, value: "1"}]
resourceClaims: [{name: gpu, resourceClaimName: gpu}]
volumes:
- {name: config, configMap: {name: one, defaultMode: 420, items: [{key: a, path: a/b, mode: 256}]}}
- {name: tokens, projected: {sources: [{secret: {name: s}}, {configMap: {name: c}}]}}
- {name: cache, emptyDir: {sizeLimit: 1Gi}}
- {name: disk, persistentVolumeClaim: {claimName: disk}}
- {name: host, hostPath: {path: /var/log}}
- name: mixed
  projected:
    sources:
    - {configMap: {name: c, items: [{key: a, path: a}]}}
    - {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
    - {serviceAccountToken: {path: token, expirationSeconds: 600}}
- name: self
  downwardAPI: {items: [{path: cpu, resourceFieldRef: {containerName: web, resource: limits.cpu}}]}
- name: scratch
  ephemeral:
    volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
initContainers:
- {name: prepare, image: "r.example.com/p:1", volumeMounts: [{name: cache, mountPath: /cache}]}
- name: proxy
  image: r.example.com/x:1
  restartPolicy: Always
  startupProbe: {tcpSocket: {port: 80}}
containers:
- name: web
  image: r.example.com/web:1
  ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9000, hostPort: 9000, protocol: TCP}]
  env:
  - {name: A, value: x}
  - {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: C, valueFrom: {secretKeyRef: {name: s, key: k}}}
  - {name: D, valueFrom: {configMapKeyRef: {name: c, key: k}}}
  - {name: E, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
  - {name: F, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
  envFrom: [{prefix: P_, configMapRef: {name: c}}, {secretRef: {name: s}}]
  resources:
    requests: {cpu: 100m, memory: 64Mi}
    limits: {cpu: 1, memory: 128Mi, example.com/gpu: 1}
    claims: [{name: gpu}]
  volumeMounts:
  - {name: config, mountPath: /etc/a, subPath: a/b}
  - {name: host, mountPath: /log, readOnly: true, recursiveReadOnly: Enabled}
  volumeDevices: [{name: disk, devicePath: /dev/x}]
  livenessProbe: {httpGet: {path: /live, port: http, httpHeaders: [{name: X-A, value: b}]}, periodSeconds: 5}
  readinessProbe: {exec: {command: [ready]}, successThreshold: 2, failureThreshold: 3}
  startupProbe: {grpc: {port: 9000}, terminationGracePeriodSeconds: 5}
  lifecycle: {preStop: {sleep: {seconds: 20}}, postStart: {httpGet: {port: 8080}}}
  securityContext: {allowPrivilegeEscalation: false, runAsUser: 1000, runAsNonRoot: true}
- name: log
  image: r.example.com/log:1
  lifecycle: {preStop: {exec: {command: [stop]}}}
  securityContext: {privileged: true, seccompProfile: {type: Localhost, localhostProfile: a.json}}
"""
_WORKLOAD = """
apiVersion: apps/v1
kind: %s
metadata: {name: one, labels: {app.kubernetes.io/name: one}, annotations: {example.com/note: anything}}
spec:
  minReadySeconds: 5
  revisionHistoryLimit: 3
  selector: {matchLabels: {app: one}, matchExpressions: [{key: tier, operator: In, values: [web, db]}]}
"""
_JOB = "{restartPolicy: Never, containers: [{name: a, image: r.example.com/a:1}]}"
_OTHERS = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: one}}
spec:
  parallelism: 2
  completions: 4
  completionMode: Indexed
  backoffLimitPerIndex: 1
  podFailurePolicy:
    rules:
    - {{action: FailJob, onExitCodes: {{operator: In, values: [42]}}}}
    - {{action: Ignore, onPodConditions: [{{type: DisruptionTarget}}]}}
  template: {{spec: {_JOB}}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: lone}}
spec: {{completionMode: Indexed, template: {{spec: {_JOB}}}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: one}}
spec:
  schedule: "*/5 2-4 * jan,mar 1"
  timeZone: Europe/Berlin
  startingDeadlineSeconds: 10
  successfulJobsHistoryLimit: 1
  jobTemplate: {{spec: {{activeDeadlineSeconds: 5, template: {{spec: {_JOB}}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: one}}
spec:
  selector: {{app: one}}
  type: LoadBalancer
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [10.0.0.0/8]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {{clientIP: {{timeoutSeconds: 10}}}}
  ports: [{{name: http, port: 80, targetPort: web}}, {{name: https, port: 443, targetPort: 8443, appProtocol: https}}]
---
apiVersion: v1
kind: Service
metadata: {{name: two}}
spec: {{type: NodePort, externalIPs: [192.0.2.7], ports: [{{port: 80, nodePort: 30080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: three}}
spec: {{type: ExternalName, externalName: db.example.com}}
---
apiVersion: v1
kind: Service
metadata: {{name: four}}
spec: {{clusterIP: None, selector: {{app: one}}, ports: [{{name: a, port: 80}}, {{name: b, port: 80, protocol: UDP}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: five}}
spec: {{ports: [{{port: 80}}], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: one}}
spec:
  ingressClassName: nginx
  defaultBackend: {{service: {{name: one, port: {{name: http}}}}}}
  tls: [{{hosts: [a.example.com, "*.example.com"], secretName: tls}}]
  rules:
  - host: a.example.com
    http:
      paths:
      - {{path: /a, pathType: Prefix, backend: {{service: {{name: one, port: {{number: 80}}}}}}}}
      - {{path: /b, pathType: ImplementationSpecific, backend: {{service: {{name: one, port: {{name: http}}}}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: one}}
spec:
  podSelector: {{matchLabels: {{app: one}}}}
  policyTypes: [Ingress, Egress]
  ingress:
  - ports: [{{port: 80, endPort: 90}}, {{port: http}}]
    from:
    - ipBlock: {{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}
    - {{podSelector: {{}}, namespaceSelector: {{matchLabels: {{team: a}}}}}}
  egress: [{{to: [{{ipBlock: {{cidr: "2001:db8::/32"}}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: one}}
spec:
  minReplicas: 2
  maxReplicas: 5
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: one}}
  metrics:
  - {{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 50}}}}}}
  - {{type: Pods, pods: {{metric: {{name: m}}, target: {{type: AverageValue, averageValue: 10}}}}}}
  behavior: {{scaleDown: {{stabilizationWindowSeconds: 60, policies: [{{type: Pods, value: 1, periodSeconds: 60}}]}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: one}}
spec: {{minAvailable: 50%, selector: {{matchLabels: {{app: one}}}}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: one}}
spec: {{accessModes: [ReadWriteOnce], storageClassName: fast, resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: one}}
data: {{a.b_c-D: x}}
binaryData: {{e: eA==}}
---
apiVersion: v1
kind: Secret
metadata: {{name: one}}
type: kubernetes.io/tls
data: {{tls.crt: eA==, tls.key: eA==}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: "one:two"}}
rules: [{{apiGroups: [""], resources: [pods], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: "one:two"}}
rules: [{{apiGroups: [""], resources: [pods], verbs: [get]}}, {{nonResourceURLs: [/metrics], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: "one:two"}}
roleRef: {{kind: Role, name: "one:two", apiGroup: rbac.authorization.k8s.io}}
subjects: [{{kind: ServiceAccount, name: one}}, {{kind: User, name: me, apiGroup: rbac.authorization.k8s.io}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: "one:two"}}
roleRef: {{kind: ClusterRole, name: "one:two", apiGroup: rbac.authorization.k8s.io}}
subjects: [{{kind: ServiceAccount, name: one, namespace: default}}]
---
apiVersion: v1
kind: Namespace
metadata:
  name: one
  labels: {{pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.30}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: one.two}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: one}}
value: 1000
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: one}}
provisioner: example.com/disk
reclaimPolicy: Retain
volumeBindingMode: WaitForFirstConsumer
"""
_MORE = {
    "Deployment": {"replicas": 2, "progressDeadlineSeconds": 600, "strategy": {"rollingUpdate": {"maxSurge": 1}}},
    "StatefulSet": {
        "serviceName": "one",
        "updateStrategy": {"rollingUpdate": {"partition": 1}},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
    },
    "DaemonSet": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}}},
    "ReplicaSet": {"replicas": 1},
}


def pod() -> Object:
    """The spec of a pod that has a bit of everything."""
    made: Object = yaml.safe_load(_POD)
    return made


def workload(kind: str) -> Object:
    """A workload of a kind with such pods."""
    made: Object = yaml.safe_load(_WORKLOAD % kind)
    template = {"metadata": {"labels": {"app": "one", "tier": "web"}}, "spec": pod()}
    made["spec"] |= {**_MORE[kind], "template": template}
    if kind == "ReplicaSet":
        del made["spec"]["revisionHistoryLimit"]
    if kind == "StatefulSet":
        template["spec"]["containers"][1]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return made


def good() -> list[Object]:
    """An object of each kind that has rules of its own, and some that have none."""
    return copy.deepcopy(_good())


@cache
def _good() -> list[Object]:
    made = [workload(kind) for kind in _MORE]
    made.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "labels": {"a": "b"}}, "spec": pod()})
    return [*made, *yaml.safe_load_all(_OTHERS), *yaml.safe_load_all(_OF_CLUSTERS.read_bytes())]
