"""Requests to the API server, on top of the official client's authentication and connection pool.

Objects stay plain documents, because they come from templates and go into journals. Code that decides about them uses
its own types. Only this module turns foreign errors into `ClusterError`.
"""

import builtins
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import kubernetes.client
import kubernetes.config
import urllib3
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from orchestrator.cluster.kinds import kind_of, path_of
from orchestrator.errors import ClusterError

Object = dict[str, Any]

_TEMPORARY = frozenset({0, 429, 500, 502, 503, 504})
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def _temporary(error: BaseException) -> bool:
    return isinstance(error, ClusterError) and error.status in _TEMPORARY


RETRY = Retrying(
    retry=retry_if_exception(_temporary),
    wait=wait_exponential(multiplier=0.2, max=5.0) + wait_random(0.0, 0.2),
    stop=stop_after_attempt(6),
    reraise=True,
)
"""Retries for requests that may be sent twice: the API server does not answer for a moment, or asks us to wait."""


IDLE = 120.0
"""Seconds of silence after which a followed log is requested again, because its connection may be dead."""


class Cluster:
    """A Kubernetes API server, and the default namespace of calls. Every method may raise ClusterError."""

    def __init__(self, api: Any, *, context: str, namespace: str) -> None:
        self._api = api
        self.context = context
        self.namespace = namespace

    @classmethod
    def connect(cls, *, context: str | None = None, kubeconfig: Path | None = None, namespace: str = "default") -> Self:
        """A cluster from a kubeconfig file, by default the one that kubectl would use.

        Raises:
            ClusterError: there is no such file or context.
        """
        file = str(kubeconfig) if kubeconfig else None
        try:
            configuration = kubernetes.client.Configuration()
            kubernetes.config.load_kube_config(config_file=file, context=context, client_configuration=configuration)
            _, active = kubernetes.config.list_kube_config_contexts(config_file=file)
        except kubernetes.config.ConfigException as error:
            hint = "name a cluster with --context or --kubeconfig, or start a local one with `coalmine lab up`"
            raise ClusterError(f"no cluster to talk to: {error}", hint=hint) from error
        configuration.connection_pool_maxsize = 64
        return cls(kubernetes.client.ApiClient(configuration), context=context or active["name"], namespace=namespace)

    @classmethod
    def in_pod(cls) -> Self:
        """The cluster that this process runs in, with the pod's service account.

        Raises:
            ClusterError: this process does not run in a pod.
        """
        try:
            configuration = kubernetes.client.Configuration()
            kubernetes.config.load_incluster_config(client_configuration=configuration)
        except kubernetes.config.ConfigException as error:
            raise ClusterError(f"this is not a pod with a service account: {error}") from error
        namespace = os.environ.get("POD_NAMESPACE") or _SERVICE_ACCOUNT.read_text().strip()
        return cls(kubernetes.client.ApiClient(configuration), context="in-pod", namespace=namespace)

    # Objects

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object of that name, or None."""
        return self._or_none("GET", self._path(kind, namespace, name))

    def list(self, kind: str, namespace: str | None = None, selector: str = "") -> builtins.list[Object]:
        query = {"labelSelector": selector} if selector else {}
        return list(RETRY(self._json, "GET", self._path(kind, namespace), query=query)["items"])

    def list_all(self, kind: str, selector: str = "") -> builtins.list[Object]:
        """The objects of all namespaces."""
        query = {"labelSelector": selector} if selector else {}
        return list(RETRY(self._json, "GET", kind_of(kind).path(namespace=None), query=query)["items"])

    def apply(self, document: Object, *, dry_run: bool = False) -> Object:
        """Server-side apply as field manager `coalmine`. Takes over fields from other managers."""
        query = {"fieldManager": "coalmine", "force": "true", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        body = json.dumps(document).encode()
        path = path_of(document)
        return RETRY(self._json, "PATCH", path, query=query, body=body, content_type="application/apply-patch+yaml")

    def create(self, document: Object) -> Object:
        """Creates an object. A ClusterError with status 409 means that it already exists."""
        path = path_of(document).rsplit("/", 1)[0]
        return self._json("POST", path, body=json.dumps(document).encode())

    def patch(
        self, kind: str, name: str, namespace: str | None, patch: Mapping[str, Any], *, subresource: str | None = None
    ) -> Object:
        """Applies a JSON merge patch. Returns the object."""
        path = kind_of(kind).path(namespace=namespace or self.namespace, name=name, subresource=subresource)
        body = json.dumps(patch).encode()
        return RETRY(self._json, "PATCH", path, body=body, content_type="application/merge-patch+json")

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace: int | None = None,
        uid: str | None = None,
        version: str | None = None,
    ) -> bool:
        """Deletes in the background. Returns False if there was nothing to delete.

        With `uid` it deletes only that object, with `version` only that version of it. Otherwise it raises a
        ClusterError with status 409.
        """
        options: Object = {"propagationPolicy": "Background"}
        if preconditions := {k: v for k, v in (("uid", uid), ("resourceVersion", version)) if v is not None}:
            options["preconditions"] = preconditions
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        return self._or_none("DELETE", self._path(kind, namespace, name), body=json.dumps(options).encode()) is not None

    def watch(
        self, kind: str, namespace: str | None = None, selector: str = "", *, timeout: float = 60.0
    ) -> Iterator[tuple[str, Object]]:
        """Existing objects as ADDED, then every change, for `timeout` seconds. To close a gap, call it again."""
        yield from self._watch(self._path(kind, namespace), selector, timeout)

    def watch_all(self, kind: str, selector: str = "", *, timeout: float = 60.0) -> Iterator[tuple[str, Object]]:
        """As `watch`, for all namespaces."""
        yield from self._watch(kind_of(kind).path(namespace=None), selector, timeout)

    def _watch(self, path: str, selector: str, timeout: float) -> Iterator[tuple[str, Object]]:
        query = {"labelSelector": selector} if selector else {}
        listed = RETRY(self._json, "GET", path, query=query)
        for item in listed["items"]:
            yield "ADDED", item
        query |= {
            "watch": "true",
            "resourceVersion": listed["metadata"]["resourceVersion"],
            "timeoutSeconds": str(max(1, int(timeout))),
        }
        response = self._raw("GET", path, query=query, timeout=timeout + 5, stream=True)
        try:
            yield from _events(response)
        finally:
            response.release_conn()

    # Pods

    def logs(
        self,
        pod: str,
        namespace: str | None = None,
        *,
        container: str | None = None,
        since_seconds: int | None = None,
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        query = {"container": container, "sinceSeconds": since_seconds, "tailLines": tail}
        given = {key: str(value) for key, value in query.items() if value is not None}
        given |= {"previous": "true"} if previous else {}
        path = kind_of("Pod").path(namespace=namespace or self.namespace, name=pod, subresource="log")
        return bytes(self._raw("GET", path, query=given).data).decode(errors="replace")

    def log_stream(
        self,
        pod: str,
        namespace: str | None = None,
        *,
        container: str,
        since: str | None = None,
        tail: int | None = None,
        previous: bool = False,
        follow: bool = False,
    ) -> Iterator[str]:
        """A container's log, line by line. Each line begins with its time (RFC 3339) and a blank.

        `since` is in RFC 3339 and exact to the second only. A followed log ends when its container ends, after IDLE
        seconds without a line, or when the connection breaks. To continue, call it again.
        """
        query = {"container": container, "sinceTime": since, "tailLines": tail, "timestamps": "true"}
        given = {key: str(value) for key, value in query.items() if value is not None}
        given |= {key: "true" for key, wanted in {"previous": previous, "follow": follow}.items() if wanted}
        path = kind_of("Pod").path(namespace=namespace or self.namespace, name=pod, subresource="log")
        response = self._raw("GET", path, query=given, timeout=IDLE, stream=True)
        try:
            for line in _lines(response):
                yield line.decode(errors="replace")
        finally:
            response.close()  # Not returned to the pool: more of the answer may still be coming.

    def machine_summary(self, machine: str) -> Object:
        """A kubelet's measurements of its pods (`/stats/summary`)."""
        return self._json("GET", kind_of("Node").path(namespace=None, name=machine) + "/proxy/stats/summary")

    def proxy(
        self,
        target: str,
        name: str,
        port: int,
        path: str,
        namespace: str | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        timeout: float = 5.0,
    ) -> tuple[int, bytes]:
        """Sends a request through the API server to a port of a pod or service. Returns the HTTP status and the body.

        `target` is `pods` or `services`. Raises ClusterError if the API server itself answers with an error (no such
        pod, nothing listens).
        """
        url = f"/api/v1/namespaces/{namespace or self.namespace}/{target}/{name}:{port}/proxy/{path.lstrip('/')}"
        path_only, _, query = url.partition("?")
        pairs = dict(pair.partition("=")[::2] for pair in query.split("&")) if query else {}
        try:
            response = self._raw(method, path_only, query=pairs, body=body, timeout=timeout)
        except ClusterError as error:
            if error.status in {404, 500} and error.answer is not None:  # This is the pod's own answer.
                return error.status, error.answer
            raise
        return int(response.status), bytes(response.data)

    def proxy_stream(
        self, target: str, name: str, port: int, path: str, namespace: str | None = None, *, timeout: float = 60.0
    ) -> Iterator[bytes]:
        """The body of a GET through `proxy`, piece by piece. `timeout` limits the seconds between two pieces.

        The caller must check that the body is complete: an answer that ends with its connection may be cut short.
        """
        url = f"/api/v1/namespaces/{namespace or self.namespace}/{target}/{name}:{port}/proxy/{path.lstrip('/')}"
        response = self._raw("GET", url, timeout=timeout, stream=True)
        try:
            yield from response.stream(65536)
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(f"{target}/{name}:{port}/{path}: the answer broke off: {error}") from error
        finally:
            response.close()  # Not returned to the pool, as in `log_stream`.

    @property
    def host(self) -> str:
        """The API server's base URL, for clients that send their own requests (Prometheus)."""
        return str(self._api.configuration.host)

    def tls(self) -> tuple[str | None, tuple[str, str] | None, dict[str, str]]:
        """CA file, client certificate and key files, and authorisation headers, for such clients."""
        settings = self._api.configuration
        certificate = (settings.cert_file, settings.key_file) if settings.cert_file else None
        headers = {}
        if token := _token(settings):
            headers["authorization"] = token
        return settings.ssl_ca_cert, certificate, headers

    # Underneath

    def _path(self, kind: str, namespace: str | None, name: str | None = None) -> str:
        return kind_of(kind).path(namespace=namespace or self.namespace, name=name)

    def _or_none(self, method: str, path: str, *, body: bytes | None = None) -> Object | None:
        try:
            return RETRY(self._json, method, path, body=body)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> Object:
        response = self._raw(method, path, query=query, body=body, content_type=content_type)
        document: Object = json.loads(response.data)
        return document

    def _raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout: float = 30.0,
        stream: bool = False,
    ) -> Any:
        configuration = self._api.configuration
        headers = {"Accept": "application/json, */*", "Content-Type": content_type}
        if token := _token(configuration):
            headers["Authorization"] = token
        url = configuration.host + path
        if query:
            url += "?" + urlencode(query)
        try:
            response = self._api.rest_client.pool_manager.request(
                method, url, headers=headers, body=body, timeout=timeout, preload_content=not stream, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(f"no answer from the API server at {configuration.host}: {error}") from error
        if response.status >= 400:
            raise _refusal(method, path, response)
        return response


def _token(configuration: Any) -> str | None:
    """The bearer token. The client's loaders store it under one of two names, depending on version and place."""
    found = configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
    return str(found) if found else None


def _refusal(method: str, path: str, response: Any) -> ClusterError:
    """The error for an HTTP status, with the API server's message if there is one."""
    answer = response.data or b""
    try:
        document = json.loads(answer)
        status = document if isinstance(document, dict) and document.get("kind") == "Status" else None
    except ValueError:
        status = None
    said = status.get("message") if status else answer[:200].decode(errors="replace").strip()
    message = f"{method} {path}: {said or 'HTTP ' + str(response.status)}"
    return ClusterError(message, status=response.status, answer=None if status else answer)


def _events(response: Any) -> Iterator[tuple[str, Object]]:
    """Watch events from a streamed answer: one JSON document per line. Ends when the server ends it."""
    for line in _lines(response):
        event = json.loads(line)
        if event["type"] == "ERROR":  # The resource version is too old: the caller watches again.
            return
        if event["type"] != "BOOKMARK":
            yield event["type"], event["object"]


def _lines(response: Any) -> Iterator[bytes]:
    """The complete, non-empty lines of a streamed answer, until it ends, breaks or is silent for too long."""
    rest = b""
    try:
        for piece in response.stream(65536):
            rest += piece
            *lines, rest = rest.split(b"\n")
            yield from filter(None, lines)
    except urllib3.exceptions.HTTPError:
        return
