"""What Istio's webhook refuses of what an HTTP route does: redirects, retries, faults, CORS and the rest.

Sources in istio/istio: validateHTTPRedirect, validateHTTPRetry, validateHTTPFaultInjection, validateCORSPolicy and
validateHTTPDirectResponse in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from meshgen.check.istiovalidation.headers import listed_name_problems
from meshgen.check.istiovalidation.resource import negative_problems, percent_problems, time_problems
from meshgen.check.istiovalidation.textmatches import expression_problems, regex_problems
from meshgen.check.proxyconfig import port_problems
from meshgen.check.setting import SECOND, Numbers, Problem, Setting, integer

# The first version that has the check, at each of its patches.
_REDIRECTS = (1, 12, 0)
_RESPONSES = (1, 15, 0)
_REWRITES = (1, 19, 0)
_BACKOFF = (1, 26, 0)
_LARGEST_BODY = 2**20
_LEADING = ("uri", "authority", "scheme", "port", "derivePort", "prefixRewrite")
# Those of the newest version: the ones before had fewer.
_RETRY_ON = (
    *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "refused-stream"),
    *("retriable-4xx", "retriable-status-codes", "retriable-headers", "envoy-ratelimited"),
    *("http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
)
_STATUSES = frozenset(map(int, HTTPStatus))
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*")
_GRPC = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)


def action_problems(route: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with what an HTTP route does."""
    yield from _cors(route.at("corsPolicy"), istio)
    yield from _fault(route.at("fault"), istio)
    yield from _redirect(route, istio)
    if isinstance(route.at("directResponse").value, dict) and istio >= _RESPONSES:
        yield from _response(route.at("directResponse"))
    yield from _retries(route.at("retries"), istio)
    yield from _rewrite(route.at("rewrite"), istio)


def _cors(policy: Setting, istio: Numbers) -> Iterator[Problem]:
    for origin in policy.at("allowOrigins").maps():
        if all(origin.at(key).is_blank for key in ("exact", "prefix", "regex")):
            yield origin.problem("the origin matches nothing", "say exact, prefix or regex")
        yield from regex_problems(origin, istio) if origin.at("regex").value != "" else ()
    for method, entry in policy.at("allowMethods").texts():
        if method not in _METHODS:
            yield entry.problem("there is no such HTTP method", "say one such as GET, in capitals")
    for key in ("allowHeaders", "exposeHeaders"):
        yield from listed_name_problems(policy.at(key), istio)
    age = policy.at("maxAge")
    found = list(time_problems(age))
    if not found and (age.nanoseconds or 0) % SECOND:
        found = [age.problem("maxAge has a precision of seconds", "say whole seconds")]
    yield from found


def _fault(fault: Setting, istio: Numbers) -> Iterator[Problem]:
    abort, delay = fault.at("abort"), fault.at("delay")
    if isinstance(fault.value, dict) and abort.value is None and delay.value is None:
        yield fault.problem("a fault is an abort or a delay", "say one of them, or take it out")
    for one in (abort, delay):
        yield from percent_problems(one.at("percentage", "value"), finest=0.0001)
    status, grpc = abort.at("httpStatus"), abort.at("grpcStatus")
    yield from _status(status)
    if abort.at("http2Error").value is not None:
        yield abort.at("http2Error").problem("Istio does not support faults of HTTP/2", "say httpStatus")
    if grpc.value is not None and istio < _RESPONSES:
        yield grpc.problem("this Istio does not support faults of gRPC", "say httpStatus")
    elif grpc.text is not None and grpc.value is not None and grpc.text not in _GRPC:
        yield grpc.problem("there is no such status of gRPC", "say one such as UNAVAILABLE")
    yield from time_problems(delay.at("fixedDelay"))
    if delay.at("exponentialDelay").value is not None:
        yield delay.at("exponentialDelay").problem("Istio does not support it", "say fixedDelay")


def _status(status: Setting) -> Iterator[Problem]:
    if status.number is not None and not 200 <= status.number <= 600:
        yield status.problem("the status is not in the range 200..599", "say one such as 503")


def _redirect(route: Setting, istio: Numbers) -> Iterator[Problem]:
    redirect = route.at("redirect")
    if not isinstance(redirect.value, dict):
        return
    keys = _LEADING if istio >= _REDIRECTS else _LEADING[:2]
    if all(redirect.at(key).is_blank for key in keys):
        yield redirect.problem("the redirect leads to where it comes from", f"say one of {', '.join(keys[:3])}")
    yield from _prefix(redirect, route.at("match"))
    code = redirect.at("redirectCode")
    if code.number and not 300 <= code.number <= 399:
        yield code.problem("the code is none of a redirect", "say one such as 301")
    if istio >= _REDIRECTS:
        if redirect.at("scheme").text not in ("", None, "http", "https"):
            yield redirect.at("scheme").problem("there is no such scheme", "say http or https")
        if redirect.at("port").number:
            yield from port_problems(redirect.at("port"))


def _prefix(redirect: Setting, matches: Setting) -> Iterator[Problem]:
    prefix = redirect.at("prefixRewrite")
    if not prefix.text:
        return
    if redirect.at("uri").text:
        yield prefix.problem("uri and prefixRewrite exclude each other", "keep one of them")
    for match in matches.maps():
        if match.at("uri").value is not None and match.at("uri", "prefix").value is None:
            yield match.at("uri").problem("prefixRewrite needs the match of a prefix", "say uri.prefix")


def _response(response: Setting) -> Iterator[Problem]:
    text, status = response.at("body", "string").text or "", response.at("status")
    if len(text.encode()) > _LARGEST_BODY:
        yield response.at("body").problem("the body is larger than 1 MB", "serve it from a workload")
    if status.value is None:
        yield response.problem("the status is missing", "say status, such as 503")
    yield from _status(status)


def _retries(retries: Setting, istio: Numbers) -> Iterator[Problem]:
    attempts = retries.at("attempts")
    yield from negative_problems(attempts)
    others = [key for key in ("perTryTimeout", "retryOn", "retryRemoteLocalities") if not retries.at(key).is_blank]
    if others and (attempts.value is None or attempts.number == 0):
        yield retries.problem(f"without attempts nothing is tried again, so {others[0]} says nothing", "say attempts")
    yield from time_problems(retries.at("perTryTimeout"))
    if istio >= _BACKOFF:
        yield from time_problems(retries.at("backoff"))
    on = retries.at("retryOn")
    unknown = [one for one in (on.text or "").split(",") if one not in _RETRY_ON and integer(one) not in _STATUSES]
    if on.text and unknown:
        hint = "say words such as 5xx,reset or codes such as 503, with commas and no spaces"
        yield on.problem("it holds what is no condition of a retry", hint)


def _rewrite(rewrite: Setting, istio: Numbers) -> Iterator[Problem]:
    if not isinstance(rewrite.value, dict):
        return
    uri, regex = rewrite.at("uri"), rewrite.at("uriRegexRewrite")
    by_regex = regex.value is not None and istio >= _REWRITES
    if uri.is_blank and rewrite.at("authority").is_blank and not by_regex:
        yield rewrite.problem("the rewrite changes nothing", "say uri or authority")
    if not by_regex:
        return
    if uri.text:
        yield regex.problem("uri and uriRegexRewrite exclude each other", "keep one of them")
    if regex.at("match").is_blank or regex.at("rewrite").is_blank:
        yield regex.problem("it needs match and rewrite", "say both")
    else:
        yield from expression_problems(regex.at("match"), istio)
