"""What a server refuses: a good object with one thing changed, and where that is found."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from tests.check.refused.objects import Object, good

GONE = object()
Change = tuple[str, Any]


class Bad(NamedTuple):
    """An object of `good`, the first of its kind unless named; its changes, by paths; where and how they are said."""

    base: str
    changes: tuple[Change, ...]
    path: str
    said: str

    def made(self) -> Object:
        """The object with its changes."""
        kind, _, name = self.base.partition("/")
        bases = [one for one in good() if one["kind"] == kind and name in ("", one["metadata"]["name"])]
        made = copy.deepcopy(bases[0])
        for path, value in self.changes:
            _change(made, steps(path), value)
        return made


def steps(path: str) -> tuple[str | int, ...]:
    """The steps of a path whose parts stand between spaces."""
    return tuple(int(part) if part.isdecimal() else part for part in path.split())


def _change(holder: Any, path: tuple[str | int, ...], value: Any) -> None:
    *before, last = path
    for step in before:
        holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
    if value is GONE:
        del holder[last]
    elif isinstance(holder, list) and last == len(holder):
        holder.append(value)
    else:
        holder[last] = value


def bad(base: str, path: str, value: Any, said: str, at: str | None = None, *more: Change) -> Bad:
    """One change, that is found where it is unless `at` says otherwise."""
    return Bad(base, ((path, value), *more), path if at is None else at, said)


POD = "spec template spec"
WEB = f"{POD} containers 0"
LIVE, STARTED = f"{WEB} livenessProbe", f"{WEB} startupProbe"
MIXED, SELF = f"{POD} volumes 5 projected sources", f"{POD} volumes 6 downwardAPI items 0"
CLAIM, CONTEXT = f"{POD} volumes 7 ephemeral volumeClaimTemplate spec", f"{POD} securityContext"
JOB = "spec jobTemplate spec"
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
PATH = "spec rules 0 http paths 0"
NONE = "the container has no image"
LONG = "a" * 64

METADATA = (
    bad("Service", "metadata name", "F16_x", '"F16_x" is no DNS label'),
    bad("Service", "metadata name", "a.b", '"a.b" is no DNS label'),
    bad("Deployment", "metadata name", "한글", '"한글" is no DNS subdomain'),
    bad("StatefulSet", "metadata name", "a.b", '"a.b" is no DNS label'),
    bad(
        "Namespace",
        "metadata labels pod-security.kubernetes.io/enforce",
        "baselin",
        '"baselin" is no level of security',
    ),
    bad(
        "Namespace",
        "metadata labels pod-security.kubernetes.io/enforce-version",
        "1.30",
        '"1.30" is no version of Kubernetes',
    ),
    bad("ConfigMap", "metadata name", "a_b", '"a_b" is no DNS subdomain'),
    bad("Namespace", "metadata name", "a.b", '"a.b" is no DNS label'),
    bad("Role", "metadata name", "a/b", '"a/b" is no name'),
    bad("ClusterRoleBinding", "metadata name", "..", '".." is no name'),
    bad("CronJob", "metadata name", LONG[:53], "the name has 53 characters"),
    bad("Job", "metadata name", LONG, "the name has 64 characters"),
    bad("PriorityClass", "metadata name", "system-one", 'names that begin with "system-" are reserved'),
    bad("PriorityClass", "value", 2 * 10**9, "priorities above are those of the system"),
    bad("ConfigMap", "metadata namespace", "Bad_space", '"Bad_space" is no DNS label'),
    bad("Service", "metadata labels a_b/c", "x", "the key is none that labels and annotations have"),
    bad("Deployment", "metadata labels ok", "bad value!", "the value is no value of a label"),
    bad("Deployment", "metadata labels ok", LONG, "the value is no value of a label"),
    bad("Deployment", "metadata annotations a/b/c", "x", "the key is none that labels and annotations have"),
    bad("Deployment", "spec template metadata labels more", "-x", "the value is no value of a label"),
)
WORKLOADS = (
    bad(
        "Deployment",
        "spec template metadata labels app",
        "other",
        "the template's labels have another value",
        "spec selector matchLabels app",
    ),
    bad(
        "StatefulSet",
        "spec template metadata labels app",
        GONE,
        "the template's labels lack it",
        "spec selector matchLabels app",
    ),
    bad("DaemonSet", "spec selector matchLabels app", "other", "the template's labels have another value"),
    bad(
        "ReplicaSet",
        "spec selector matchExpressions 0 values",
        ["db"],
        "it does not pick the template's labels",
        "spec selector",
    ),
    bad("Deployment", "spec selector", {}, "the selector is empty"),
    bad(
        "Deployment",
        "spec selector matchExpressions 0 operator",
        "Exists",
        "Exists takes no values",
        "spec selector matchExpressions 0 values",
    ),
    bad(
        "Deployment",
        "spec selector matchExpressions 0 values",
        [],
        "In has no values",
        "spec selector matchExpressions 0 operator",
    ),
    bad("Deployment", "spec selector matchExpressions 0 operator", "Like", "there is no such operator"),
    bad("Deployment", "spec replicas", -1, "-1 is out of bounds"),
    bad(
        "Deployment",
        "spec minReadySeconds",
        600,
        "the deadline ends before a pod can count as ready",
        "spec progressDeadlineSeconds",
    ),
    bad("Deployment", "spec strategy type", "Recreate", "Recreate rolls nothing", "spec strategy rollingUpdate"),
    bad(
        "Deployment",
        "spec strategy rollingUpdate",
        {"maxSurge": 0, "maxUnavailable": "0%"},
        "with maxSurge 0 no pod could be replaced",
        "spec strategy rollingUpdate maxUnavailable",
    ),
    bad("Deployment", "spec strategy rollingUpdate maxSurge", "a quarter", "the text is no share in percent"),
    bad("Deployment", "spec strategy rollingUpdate maxUnavailable", "101%", "there is no more than 100%"),
    bad(
        "DaemonSet",
        "spec updateStrategy rollingUpdate maxSurge",
        1,
        "with maxUnavailable it is not said which comes first",
    ),
    bad("StatefulSet", "spec updateStrategy rollingUpdate partition", -1, "-1 is out of bounds"),
    bad(
        "StatefulSet",
        "spec updateStrategy type",
        "OnDelete",
        "OnDelete rolls nothing",
        "spec updateStrategy rollingUpdate",
    ),
    bad("StatefulSet", "spec serviceName", "a.b", '"a.b" is no DNS label'),
    bad(
        "StatefulSet",
        "spec volumeClaimTemplates 0 spec accessModes",
        [],
        "it says no access mode",
        "spec volumeClaimTemplates 0 spec",
    ),
    bad("StatefulSet", f"{POD} containers 1 volumeMounts 0 name", "date", 'the pod has no volume "date"'),
    bad("Deployment", f"{POD} restartPolicy", "OnFailure", "a Deployment keeps its pods running"),
    bad("DaemonSet", f"{POD} activeDeadlineSeconds", 5, "a DaemonSet keeps its pods running"),
    bad("Deployment", POD, GONE, "the template has no spec", "spec template"),
)
PODS = (
    bad("Deployment", f"{POD} containers", [], "the pod has no container"),
    bad("Deployment", f"{POD} containers 1 name", "web", 'two containers are called "web"'),
    bad("Deployment", f"{POD} initContainers 0 name", "web", 'two containers are called "web"'),
    bad("Deployment", f"{WEB} name", "B_d", '"B_d" is no DNS label'),
    bad("Deployment", f"{WEB} image", GONE, NONE, WEB),
    bad("Deployment", f"{WEB} ports 0 containerPort", 99999, "99999 is no port"),
    bad(
        "Deployment", f"{WEB} ports 0 name", "much-too-long-port-name", '"much-too-long-port-name" is no name of a port'
    ),
    bad("Deployment", f"{WEB} ports 0 name", "8080", '"8080" is no name of a port'),
    bad("Deployment", f"{WEB} ports 0 name", "a--b", '"a--b" is no name of a port'),
    bad("Deployment", f"{WEB} ports 1 name", "http", 'two ports are called "http"'),
    bad(
        "Deployment",
        f"{WEB} ports 0 hostPort",
        9000,
        "port 9000 of the node is taken already",
        f"{WEB} ports 1 hostPort",
    ),
    bad(
        "Deployment",
        f"{POD} hostNetwork",
        True,
        "with hostNetwork it has to be the containerPort",
        f"{WEB} ports 0 hostPort",
        (f"{WEB} ports 0 hostPort", 80),
    ),
    bad("Deployment", f"{WEB} volumeMounts 0 name", "nope", 'the pod has no volume "nope"'),
    bad("Deployment", f"{WEB} volumeDevices 0 name", "nope", 'the pod has no volume "nope"'),
    bad("Deployment", f"{WEB} volumeDevices 0 name", "cache", "the volume is no disk of its own"),
    bad("Deployment", f"{WEB} volumeMounts 1 mountPath", "/etc/a", "/etc/a is taken already"),
    bad("Deployment", f"{WEB} volumeMounts 0 subPath", "../x", "the path leads out of the volume"),
    bad(
        "Deployment",
        f"{WEB} volumeMounts 0 mountPropagation",
        "Bidirectional",
        "only a privileged container may propagate its mounts",
    ),
    bad("Deployment", f"{WEB} env 0 name", "A=B", '"A=B" is no name of a variable'),
    bad("Deployment", f"{WEB} env 1 value", "secret", "the variable has a value already", f"{WEB} env 1 valueFrom"),
    bad("Deployment", f"{WEB} env 1 valueFrom", {}, "it has no source"),
    bad(
        "Deployment",
        f"{WEB} env 1 valueFrom secretKeyRef",
        {"name": "s", "key": "k"},
        "it has fieldRef and secretKeyRef",
        f"{WEB} env 1 valueFrom",
    ),
    bad(
        "Deployment", f"{WEB} env 1 valueFrom fieldRef fieldPath", "metadata.foo", 'no variable can have "metadata.foo"'
    ),
    bad("Deployment", f"{WEB} env 2 valueFrom secretKeyRef key", "a b", '"a b" is no key'),
    bad(
        "Deployment",
        f"{WEB} env 3 valueFrom configMapKeyRef name",
        GONE,
        "it names no object",
        f"{WEB} env 3 valueFrom configMapKeyRef",
    ),
    bad(
        "Deployment",
        f"{WEB} env 4 valueFrom resourceFieldRef resource",
        "limits.disk",
        'no variable can have "limits.disk"',
    ),
    bad("Deployment", f"{WEB} envFrom 1 configMapRef", {"name": "c"}, "it has both sources", f"{WEB} envFrom 1"),
    bad("Deployment", f"{WEB} resources requests cpu", 2, "the request is more than the limit"),
    bad("Deployment", f"{WEB} resources requests memory", "1Gi", "the request is more than the limit"),
    bad("Deployment", f"{WEB} resources requests cpu", "-1", "the amount is negative"),
    bad("Deployment", f"{WEB} resources limits memroy", "1Gi", "containers have no resource memroy"),
    bad("Deployment", f"{WEB} resources limits example.com/gpu", "500m", "example.com/gpu is not given in parts"),
    bad("Deployment", f"{WEB} resources requests example.com/nic", 1, "example.com/nic has no limit"),
    bad(
        "Deployment",
        f"{WEB} securityContext privileged",
        True,
        "privileged can't be kept from more privileges",
        f"{WEB} securityContext allowPrivilegeEscalation",
    ),
    bad("Deployment", f"{WEB} securityContext runAsUser", -1, "-1 is out of bounds"),
    bad("Deployment", f"{LIVE} exec", {"command": ["a"]}, "it has exec and httpGet", LIVE),
    bad("Deployment", f"{LIVE} httpGet", GONE, "it has nothing to ask by", LIVE),
    bad("Deployment", f"{LIVE} httpGet port", "8080", "a number in quotes is taken for a name"),
    bad("Deployment", f"{LIVE} httpGet port", 0, "0 is no port"),
    bad("Deployment", f"{LIVE} periodSeconds", -1, "-1 is out of bounds"),
    bad("Deployment", f"{LIVE} successThreshold", 2, "only a readiness probe may ask for several"),
    bad("Deployment", f"{LIVE} httpGet httpHeaders 0 name", "a b", '"a b" is no name of a header'),
    bad("Deployment", f"{STARTED} grpc port", 70000, "70000 is no port"),
    bad("Deployment", f"{WEB} readinessProbe exec command", [], "it has no command", f"{WEB} readinessProbe exec"),
    bad("Deployment", f"{WEB} readinessProbe terminationGracePeriodSeconds", 5, "a readiness probe ends nothing"),
    bad("Deployment", f"{WEB} lifecycle preStop", {}, "it has nothing to ask by"),
    bad(
        "Deployment",
        f"{POD} initContainers 0 readinessProbe",
        {"tcpSocket": {"port": 80}},
        "an init container that ends has none",
    ),
    bad("Deployment", f"{POD} volumes 1 name", "config", 'two volumes are called "config"'),
    bad("Deployment", f"{POD} volumes 2 hostPath", {"path": "/x"}, "it is emptyDir and hostPath"),
    bad("Deployment", f"{POD} volumes 2 emptyDir sizeLimit", "-1", "the size is negative"),
    bad("Deployment", f"{POD} volumes 4 hostPath path", "/a/../b", "the path leads up by .."),
    bad("Deployment", f"{POD} volumes 0 configMap defaultMode", 644, "644 is no mode of a file"),
    bad(
        "Deployment",
        f"{MIXED} 0 configMap items 0 path",
        "labels",
        "labels is taken already",
        f"{MIXED} 1 downwardAPI items 0 path",
    ),
    bad("Deployment", f"{MIXED} 2 serviceAccountToken expirationSeconds", 60, "60 is out of bounds"),
    bad(
        "Deployment",
        f"{MIXED} 1 downwardAPI items 0 fieldRef",
        GONE,
        "it does not say what is in the file",
        f"{MIXED} 1 downwardAPI items 0",
    ),
    bad("Deployment", f"{SELF} fieldRef", {"fieldPath": "metadata.name"}, "it is fieldRef and resourceFieldRef", SELF),
    bad(
        "Deployment",
        f"{SELF} resourceFieldRef containerName",
        GONE,
        "it does not say of which container",
        f"{SELF} resourceFieldRef",
    ),
    bad("Deployment", f"{CLAIM} resources", GONE, "it asks for no storage", CLAIM),
    bad("Deployment", f"{POD} volumes 7 ephemeral", {}, "it claims nothing"),
    bad(
        "Deployment",
        f"{WEB} volumeMounts 1 recursiveReadOnly",
        "Enabled",
        "the mount is not read-only itself",
        None,
        (f"{WEB} volumeMounts 1 readOnly", False),
    ),
    bad(
        "Deployment",
        f"{WEB} volumeMounts 1 mountPropagation",
        "HostToContainer",
        "a mount that is propagated is not read-only below",
        f"{WEB} volumeMounts 1 recursiveReadOnly",
    ),
    bad("Deployment", f"{WEB} resources claims 0 name", "gp", 'the pod has no claim "gp"'),
    bad(
        "Deployment",
        f"{WEB} lifecycle preStop sleep seconds",
        21,
        "the pod ends after 20 seconds, while it still sleeps",
    ),
    bad(
        "Deployment",
        f"{POD} terminationGracePeriodSeconds",
        GONE,
        "the pod ends after 30 seconds, while it still sleeps",
        f"{WEB} lifecycle preStop sleep seconds",
        (f"{WEB} lifecycle preStop sleep seconds", 31),
    ),
    bad(
        "Deployment",
        f"{CONTEXT} seccompProfile",
        {"type": "Localhost"},
        "it names no profile of the node",
        f"{CONTEXT} seccompProfile type",
    ),
    bad(
        "Deployment",
        f"{CONTEXT} appArmorProfile",
        {"type": "RuntimeDefault", "localhostProfile": "a"},
        "RuntimeDefault has no profile of the node",
        f"{CONTEXT} appArmorProfile localhostProfile",
    ),
    bad("Deployment", f"{CONTEXT} sysctls 0 name", "Net.ipv4", '"Net.ipv4" is no name of a sysctl'),
    bad(
        "Deployment",
        f"{CONTEXT} sysctls 1 name",
        "net.ipv4.tcp_syncookies",
        'two sysctls are called "net.ipv4.tcp_syncookies"',
    ),
    bad("Deployment", f"{POD} volumes 0 configMap items 0 path", "/a", "the path leads out of the volume"),
    bad("Deployment", f"{POD} volumes 0 configMap name", GONE, "it names no ConfigMap", f"{POD} volumes 0 configMap"),
    bad("Deployment", f"{POD} tolerations 1", {"operator": "Equal"}, "a toleration without a key is one of all taints"),
    bad(
        "Deployment",
        f"{POD} tolerations 0 effect",
        "NoSchedule",
        "only NoExecute is tolerated for a time",
        f"{POD} tolerations 0 tolerationSeconds",
    ),
    bad("Deployment", f"{POD} tolerations 0 operator", "Exists", "Exists takes no value", f"{POD} tolerations 0 value"),
    bad("Deployment", f"{POD} topologySpreadConstraints 0 maxSkew", 0, "0 is out of bounds"),
    bad(
        "Deployment",
        f"{POD} topologySpreadConstraints 0 whenUnsatisfiable",
        "ScheduleAnyway",
        "it means nothing with ScheduleAnyway",
        f"{POD} topologySpreadConstraints 0 minDomains",
    ),
    bad(
        "Deployment",
        f"{POD} affinity podAntiAffinity preferredDuringSchedulingIgnoredDuringExecution 0 weight",
        101,
        "101 is out of bounds",
    ),
    bad("Deployment", f"{POD} dnsConfig", GONE, "a pod without DNS of the cluster needs its own", f"{POD} dnsPolicy"),
    bad("Deployment", f"{POD} hostAliases 0 ip", "db", "it is no IP address"),
    bad("Deployment", f"{POD} nodeSelector zone", "a b", "the value is no value of a label"),
    bad("Deployment", f"{POD} serviceAccountName", "A_b", '"A_b" is no DNS subdomain'),
    bad("Pod", "spec containers 0 name", "B_d", '"B_d" is no DNS label'),
    bad(
        "Pod",
        "spec hostPID",
        True,
        "with hostPID all processes are shared already",
        "spec shareProcessNamespace",
        ("spec shareProcessNamespace", True),
    ),
)
JOBS = (
    bad("Job", f"{POD} restartPolicy", "Always", "the pods of a Job end"),
    bad("Job", f"{POD} restartPolicy", GONE, "the pods of a Job end: Always, which is meant, is not taken", POD),
    bad("Job", "spec completions", GONE, "an indexed Job says how many it is", "spec completionMode"),
    bad("CronJob", f"{JOB} completionMode", "Indexed", "an indexed Job says how many it is"),
    bad("Job", "spec completionMode", "NonIndexed", "only an indexed Job has it", "spec backoffLimitPerIndex"),
    bad(
        "Job",
        "spec podFailurePolicy rules 0 onExitCodes",
        GONE,
        "it says nothing of when it applies",
        "spec podFailurePolicy rules 0",
    ),
    bad(
        "Job",
        "spec podFailurePolicy rules 0 onPodConditions",
        [{"type": "Ready", "status": "False"}],
        "it has onExitCodes and onPodConditions",
        "spec podFailurePolicy rules 0",
    ),
    bad("Job", "spec selector", {"matchLabels": {"a": "b"}}, "a Job makes its selector itself"),
    bad(
        "Job",
        "spec manualSelector",
        True,
        "the template's labels lack it",
        "spec selector matchLabels a",
        ("spec selector", {"matchLabels": {"a": "b"}}),
    ),
    bad("Job", "spec parallelism", -1, "-1 is out of bounds"),
    bad("CronJob", f"{JOB} template spec restartPolicy", "Always", "the pods of a Job end"),
    bad("CronJob", f"{JOB} selector", {"matchLabels": {"a": "b"}}, "a Job makes its selector itself"),
    *(
        bad("CronJob", "spec schedule", schedule, said)
        for schedule, said in {
            "61 * * *": "a schedule has five fields, and this one 4",
            "61 * * * *": "minute: it goes from 0 to 59",
            "* 5-3 * * *": "hour: it goes from 0 to 23",
            "* * 0 * *": "day of the month: it goes from 1 to 31",
            "* * * foo *": "month: it is no number",
            "* * * * 7": "day of the week: it goes from 0 to 6",
            "*/0 * * * *": "minute: the step is no number above 0",
            "1-2-3 * * * *": "minute: it has several hyphens",
            "1/2/3 * * * *": "minute: it has several slashes",
            "@often": f"there are only {', '.join(_DESCRIPTORS)} and @every DURATION",
            "TZ=UTC 0 0 * * *": "a schedule names no time zone",
        }.items()
    ),
    bad("CronJob", "spec timeZone", "Local", "it is no name of a time zone"),
    bad("CronJob", "spec timeZone", "../UTC", "it is no name of a time zone"),
    bad("CronJob", "spec startingDeadlineSeconds", -1, "-1 is out of bounds"),
)
SERVICES = (
    bad("Service", "spec ports 1 name", GONE, "of several ports each has a name", "spec ports 1"),
    bad("Service", "spec ports 1 name", "http", 'two ports are called "http"'),
    bad("Service", "spec ports 1 port", 80, "TCP 80 is there twice"),
    bad("Service", "spec ports 0 port", 0, "0 is no port"),
    bad("Service", "spec ports 0 name", "A_b", '"A_b" is no DNS label'),
    bad("Service", "spec ports 0 targetPort", "8080", "a number in quotes is taken for a name"),
    bad("Service", "spec ports 0 appProtocol", "a b", "it is no name of a protocol"),
    bad("Service", "spec ports", [], "it has no port"),
    bad("Service", "spec clusterIP", "None", "a LoadBalancer has an address"),
    bad("Service", "spec clusterIP", "10.0.0.300", "it is no IP address"),
    bad("Service", "spec loadBalancerSourceRanges 0", "10.0.0.0/33", "it is no range"),
    bad("Service", "spec sessionAffinityConfig clientIP timeoutSeconds", 0, "0 is out of bounds"),
    bad("Service", "spec selector app", "a b", "the value is no value of a label"),
    bad(
        "Service",
        "spec type",
        "ClusterIP",
        "only a LoadBalancer has it",
        "spec loadBalancerSourceRanges",
        ("spec externalTrafficPolicy", GONE),
    ),
    bad(
        "Service",
        "spec type",
        "ClusterIP",
        "nothing from outside reaches the Service",
        "spec externalTrafficPolicy",
        ("spec loadBalancerSourceRanges", GONE),
    ),
    bad("Service/two", "spec type", "ClusterIP", "a ClusterIP has no port of nodes", "spec ports 0 nodePort"),
    bad("Service/two", "spec healthCheckNodePort", 30000, "only a LoadBalancer with Local is checked so"),
    bad("Service/two", "spec externalIPs 0", "x", "it is no IP address"),
    bad("Service/three", "spec externalName", GONE, "it says no externalName", "spec"),
    bad("Service/three", "spec externalName", "a_b", "it is no DNS subdomain"),
    bad("Service/three", "spec clusterIP", "None", "an ExternalName has no address"),
    bad("Ingress", "spec", {}, "it leads nowhere"),
    bad("Ingress", "spec rules 0 host", "10.0.0.1", "a host is a name, and no address"),
    bad("Ingress", "spec rules 0 host", "a.*.com", '"a.*.com" is no wildcard of a DNS domain'),
    bad("Ingress", "spec tls 0 hosts 0", "A.com", '"A.com" is no DNS subdomain'),
    bad("Ingress", "spec rules 0 http paths", [], "it has no path"),
    bad("Ingress", f"{PATH} path", "a", "the path does not begin at the root"),
    bad("Ingress", f"{PATH} path", "/a//b", "the path has // in it"),
    bad("Ingress", f"{PATH} path", GONE, "pathType Prefix needs a path", PATH),
    bad("Ingress", f"{PATH} backend", {}, "it is nothing"),
    bad("Ingress", f"{PATH} backend service port", {}, "it says no port"),
    bad(
        "Ingress",
        f"{PATH} backend service port name",
        "http",
        "it has a name and a number",
        f"{PATH} backend service port",
    ),
    bad("Ingress", f"{PATH} backend service name", "A_b", '"A_b" is no DNS label'),
)
POLICIES = (
    bad(
        "NetworkPolicy",
        "spec ingress 0 from 0 ipBlock except 0",
        "192.168.0.0/16",
        "192.168.0.0/16 is no part of 10.0.0.0/8",
    ),
    bad("NetworkPolicy", "spec ingress 0 from 0 ipBlock except 0", "10.0.0.0/8", "10.0.0.0/8 is no part of 10.0.0.0/8"),
    bad("NetworkPolicy", "spec ingress 0 from 0 ipBlock cidr", "10.0.0.0", "it is no range"),
    bad(
        "NetworkPolicy",
        "spec ingress 0 from 0 podSelector",
        {},
        "it and podSelector exclude each other",
        "spec ingress 0 from 0 ipBlock",
    ),
    bad("NetworkPolicy", "spec ingress 0 from 1", {}, "it names nobody"),
    bad("NetworkPolicy", "spec ingress 0 ports 0 endPort", 79, "the range ends before it begins, at 80"),
    bad("NetworkPolicy", "spec ingress 0 ports 1 endPort", 90, "a range begins with a number"),
    bad("HorizontalPodAutoscaler", "spec minReplicas", 6, "6 are more than maxReplicas, 5"),
    bad("HorizontalPodAutoscaler", "spec maxReplicas", 0, "0 is out of bounds"),
    bad("HorizontalPodAutoscaler", "spec minReplicas", 0, "0 is out of bounds"),
    bad("HorizontalPodAutoscaler", "spec metrics 0 type", "Pods", "it says nothing of pods"),
    bad("HorizontalPodAutoscaler", "spec metrics 0 type", "CPU", "there is no such metric"),
    bad(
        "HorizontalPodAutoscaler",
        "spec metrics 0 resource target averageValue",
        1,
        "it and averageUtilization exclude each other",
    ),
    bad("HorizontalPodAutoscaler", "spec metrics 0 resource target averageUtilization", 0, "0 is out of bounds"),
    bad("HorizontalPodAutoscaler", "spec metrics 0 resource target type", "Percent", "there is no such target"),
    bad("HorizontalPodAutoscaler", "spec behavior scaleDown policies", [], "it has no policy"),
    bad("HorizontalPodAutoscaler", "spec behavior scaleDown policies 0 periodSeconds", 1801, "1801 is out of bounds"),
    bad("HorizontalPodAutoscaler", "spec behavior scaleDown stabilizationWindowSeconds", 3601, "3601 is out of bounds"),
    bad("PodDisruptionBudget", "spec maxUnavailable", 1, "it and minAvailable exclude each other"),
    bad("PodDisruptionBudget", "spec minAvailable", "110%", "there is no more than 100%"),
    bad("PersistentVolumeClaim", "spec accessModes", [], "it says no access mode", "spec"),
    bad(
        "PersistentVolumeClaim",
        "spec accessModes",
        ["ReadWriteOnce", "ReadWriteOncePod"],
        "ReadWriteOncePod goes with no other mode",
    ),
    bad("PersistentVolumeClaim", "spec resources", GONE, "it asks for no storage", "spec"),
    bad("PersistentVolumeClaim", "spec resources requests storage", "0", "it asks for no storage"),
    bad("ConfigMap", "data bad/key", "x", '"bad/key" is no key of a ConfigMap'),
    bad("ConfigMap", "data e", "x", "binaryData has the key too"),
    bad("Secret", "data tls.key", GONE, "a Secret of this type has tls.key", "type"),
    bad("Secret", "type", "kubernetes.io/basic-auth", "a Secret of this type has username or password"),
    bad("Secret", "type", "kubernetes.io/service-account-token", "a token is one of a ServiceAccount"),
    bad("Role", "rules 0 verbs", [], "the rule allows nothing"),
    bad("Role", "rules 0 apiGroups", GONE, "the rule says no apiGroups", "rules 0"),
    bad("Role", "rules 0 nonResourceURLs", ["/x"], "a Role is for its namespace's resources"),
    bad("ClusterRole", "rules 0 nonResourceURLs", ["/x"], "it and resources exclude each other"),
    bad("RoleBinding", "roleRef kind", "Group", "a RoleBinding gives no Group"),
    bad("RoleBinding", "roleRef apiGroup", "example.com", "roles are of another group"),
    bad("RoleBinding", "subjects 1 apiGroup", "example.com", "users and groups are of another group"),
    bad("ClusterRoleBinding", "roleRef kind", "Role", "a ClusterRoleBinding gives no Role"),
    bad(
        "ClusterRoleBinding",
        "subjects 0 namespace",
        GONE,
        "it does not say the ServiceAccount's namespace",
        "subjects 0",
    ),
)
BAD = METADATA + WORKLOADS + PODS + JOBS + SERVICES + POLICIES
