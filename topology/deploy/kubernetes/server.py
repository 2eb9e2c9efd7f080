"""Requests to one API server: connected as kubectl is, answered in one line when something is wrong."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from topology.deploy.kubernetes.documents import ObjectKey
from topology.deploy.kubernetes.errors import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Callable

FIELD_MANAGER = "topology"
EXTRA = 'kubernetes needs lightkube: pip install "cluster-topology[kubernetes]"'
TIMEOUT_S = 30
RETRIES = 5
RETRIED = {429, 502, 503, 504}  # busy, or a proxy or a peer that is restarting
PAGE = 500  # objects in one answer, as kubectl asks for them
APPLY = "application/apply-patch+yaml"  # JSON is YAML
MERGE = "application/merge-patch+json"
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """Where the objects of a kind are found."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """URL path of one object, of all in a namespace, or of all there are."""
        base = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        return "/".join(filter(None, [base, *(["namespaces", namespace] if namespace else []), self.plural, name]))


@dataclass(frozen=True, slots=True)
class ServerResponse:
    """What the server said."""

    status: int
    body: dict[str, Any]

    @property
    def refusal(self) -> str:
        """The server's words, on one line."""
        return " ".join(str(self.body.get("message") or f"HTTP {self.status}").split())

    @property
    def fine(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 300  # noqa: PLR2004 -- HTTP's own classes


class Server:
    """Context manager: the API server of a kubeconfig's context, the current one when none is named.

    Several requests may run at once, `concurrency` at most.

    Raises:
        KubernetesError: on construction, when lightkube is missing or the kubeconfig names no usable server; on
            use, when the server does not answer or does not let this user in.
    """

    def __init__(self, *, context: str | None = None, kubeconfig: Path | None = None, concurrency: int = 16) -> None:
        try:
            import httpx2 as httpx  # noqa: PLC0415 - an extra, and slow to import
            from lightkube import KubeConfig  # noqa: PLC0415
            from lightkube.config.client_adapter import Client, ConnectionParams  # noqa: PLC0415
            from lightkube.core.exceptions import ConfigError  # noqa: PLC0415
        except ImportError as error:
            raise KubernetesError(EXTRA) from error
        try:
            read = KubeConfig.from_file(kubeconfig) if kubeconfig else KubeConfig.from_env()
            chosen = read.get(context)
        except (ConfigError, KeyError, TypeError, ValueError, OSError) as error:
            raise KubernetesError(f"no usable context in the kubeconfig: {error}") from error
        if chosen is None or chosen.user is None:
            raise KubernetesError(f"context {context or 'in use'} of the kubeconfig has no user")
        self.where = f"{chosen.cluster.server} (context {chosen.context_name})"
        self.namespace = chosen.namespace
        self._failures = (httpx.TransportError, ConfigError, OSError)
        try:
            self._client = Client(chosen, ConnectionParams(timeout=httpx.Timeout(TIMEOUT_S)))
        except (ConfigError, ValueError, OSError) as error:
            raise KubernetesError(f"{self.where}: cannot be connected to: {error}") from error
        self._pool = ThreadPoolExecutor(concurrency)
        self._kinds: dict[str, dict[str, ResourceKind]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def each(self, work: "Callable[[_In], _Out]", items: Sequence[_In]) -> list[_Out]:
        """What `work` gives for every item, in their order, done side by side."""
        return list(self._pool.map(work, items))

    def kind(self, api_version: str, name: str) -> ResourceKind | None:
        """The kind as this server has it, or None when it does not. An answer is remembered; see `forget`."""
        if api_version not in self._kinds:
            base = "/apis/" if "/" in api_version else "/api/"
            answer = self.ask("GET", f"{base}{api_version}")
            listed = answer.body.get("resources", []) if answer.fine else []
            self._kinds[api_version] = {
                each["kind"]: ResourceKind(api_version, each["kind"], each["name"], each["namespaced"])
                for each in listed
                if "/" not in each["name"]  # `nodes/status` and the like are parts of objects
            }
        return self._kinds[api_version].get(name)

    def preferred_kind(self, group: str, name: str) -> ResourceKind | None:
        """The kind of a group in the version that the server likes best, or None when it does not have it."""
        if not group:
            return self.kind("v1", name)
        answer = self.ask("GET", f"/apis/{group}")
        return self.kind(answer.body["preferredVersion"]["groupVersion"], name) if answer.fine else None

    def forget(self) -> None:
        """Ask for kinds anew, since a CRD has brought some."""
        self._kinds.clear()

    def objects(
        self, kind: ResourceKind, namespace: str = "", *, label: str = "", names_only: bool = False
    ) -> Iterator[Any]:
        """All objects of a kind, or those of a namespace or with a label; their metadata alone with `names_only`."""
        params = {"limit": str(PAGE), **({"labelSelector": label} if label else {})}
        headers = {"Accept": NAMES_ONLY} if names_only else {}
        while True:
            answer = self.must("GET", kind.path(namespace), params=params, headers=headers)
            for each in answer.body["items"] or []:  # in a list, objects do not say what they are
                yield {**each, "apiVersion": kind.api_version, "kind": kind.kind}
            more = answer.body["metadata"].get("continue")
            if not more:
                return
            params["continue"] = more

    def must(self, method: str, path: str, **options: Any) -> ServerResponse:  # noqa: ANN401 -- those of `ask`
        """As `ask`, where anything but success stops the work."""
        answer = self.ask(method, path, **options)
        if not answer.fine:
            raise KubernetesError(f"{self.where}: {answer.refusal}")
        return answer

    def apply(
        self, kind: ResourceKind, key: ObjectKey, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> ServerResponse:
        """Answer to a server-side apply, 201 for a new object. Fields that others hold become ours."""
        params = {"fieldManager": FIELD_MANAGER, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        return self.ask("PATCH", kind.path(key.namespace, key.name), params=params, body=body, content=APPLY)

    def ask(  # noqa: PLR0913 -- the parts of a request
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> ServerResponse:
        """Answer of the server; a request that it was too busy for is repeated.

        Raises:
            KubernetesError: no answer, or the server does not know this user.
        """
        sent = {**(headers or {}), **({"Content-Type": content} if body is not None else {})}
        for attempt in range(RETRIES + 1):
            try:
                response = self._client.request(method, path, params=params, json=body, headers=sent)
            except self._failures as error:
                raise KubernetesError(
                    f"{self.where}: no answer: {_words(error)}; is it running, and reachable from here?"
                ) from error
            if response.status_code not in RETRIED or attempt == RETRIES:
                break
            time.sleep(min(float(_seconds(response.headers.get("Retry-After"))), 10) or 0.2 * 2**attempt)
        if response.status_code == 401:  # noqa: PLR2004 -- HTTP's own code
            raise KubernetesError(f"{self.where}: 401, the server does not know this user; log in again")
        return ServerResponse(response.status_code, _json(response))


def _json(response: Any) -> dict[str, Any]:  # noqa: ANN401 -- of whichever HTTP client lightkube brings
    try:
        said = response.json()
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"message": response.text[:300]}


def _seconds(header: str | None) -> str:
    return header if header and re.fullmatch(r"\d+", header) else "0"


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
