"""A real kube-apiserver with its etcd, on 127.0.0.1 and in a temporary folder: the judge of manifests.

No kubelet, no scheduler and no controller runs: what it proves is that objects are accepted, by their schemas, by the
rules of their CRDs, and by server-side apply. It takes about 5 s to start and 400 MiB.
"""

import json
import secrets
import shutil
import ssl
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from topology.verify.server_process import ServerProcess, StartError, free_port

__all__ = ["ApiServer", "StartError"]

TRIES = 3
TAKEN = "address already in use"  # a free port was found by someone else as well
START_S = 60
CONTEXT = "under-test"
ISSUER = "https://kubernetes.default.svc"
GUEST = "guest"  # the name and the token of a user who may do nothing
# A Node is created without its kubelet here: nobody would ever take the taint off that this plugin puts on it.
# Pods get no token either: there is no controller to make the service accounts.
DISABLED_PLUGINS = "ServiceAccount,TaintNodesByCondition"


class ApiServer:
    """Context manager: `kube_apiserver` on `etcd`, both as paths of programs, ready for requests.

    `kubeconfig` is a file with the one context `CONTEXT`, whose user may do everything.

    Raises:
        StartError: on entering, when one of them does not get ready; the text holds its last words.
    """

    def __init__(self, etcd: Path, kube_apiserver: Path) -> None:
        self._etcd, self._kube_apiserver = etcd, kube_apiserver
        self._daemons: list[ServerProcess] = []
        self._token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        for attempt in range(1, TRIES + 1):
            self.home = Path(tempfile.mkdtemp(prefix="kube-apiserver-"))
            try:
                self._start()
            except BaseException as error:
                self._stop()
                if attempt < TRIES and isinstance(error, StartError) and TAKEN in str(error):
                    continue
                raise
            break
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def certificate(self) -> tuple[Path, Path]:
        """The self-signed certificate of this server for 127.0.0.1, and its key."""
        return self.home / "certs/apiserver.crt", self.home / "certs/apiserver.key"

    def ask(self, path: str) -> dict[str, Any]:
        """The object that GET `path` answers, such as `/api/v1/nodes`.

        Raises:
            urllib.error.HTTPError: the server refuses.
        """
        said: dict[str, Any] = json.loads(self._get(path))
        return said

    def _start(self) -> None:
        etcd, peer = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
        words = {
            "data-dir": self.home / "etcd",
            "listen-client-urls": etcd,
            "advertise-client-urls": etcd,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "log-level": "warn",
        }
        # Nothing that is kept here outlives the machine, so no write has to reach the disk.
        argv: list[str | Path] = [
            self._etcd,
            *(f"--{name}={value}" for name, value in words.items()),
            "--unsafe-no-fsync",
        ]
        self._daemons.append(ServerProcess(argv, self.home / "etcd.log", cwd=self.home))
        self._start_api_server(etcd)

    def _start_api_server(self, etcd: str) -> None:
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        certificate, key = self.certificate  # made by the server itself when it starts
        tokens = self.home / "tokens.csv"
        _write_private(tokens, f"{self._token},admin,admin,system:masters\n{GUEST},{GUEST},{GUEST}\n")
        words = {
            "etcd-servers": etcd,
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "cert-dir": certificate.parent,
            "service-account-issuer": ISSUER,
            "service-account-key-file": key,
            "service-account-signing-key-file": key,
            "service-cluster-ip-range": "10.0.0.0/24",
            "token-auth-file": tokens,
            "authorization-mode": "RBAC",
            "disable-admission-plugins": DISABLED_PLUGINS,
        }
        argv: list[str | Path] = [self._kube_apiserver, *(f"--{name}={value}" for name, value in words.items())]
        server = ServerProcess(argv, self.home / "kube-apiserver.log", cwd=self.home)
        self._daemons.append(server)
        server.wait_for(self._ready, limit_s=START_S)
        self.kubeconfig = self.home / "kubeconfig"
        _write_private(self.kubeconfig, json.dumps(self._client_settings(certificate)))  # JSON is YAML

    def _client_settings(self, certificate: Path) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
            "clusters": [{"name": CONTEXT, "cluster": {"server": self.url, "certificate-authority": str(certificate)}}],
            "users": [{"name": CONTEXT, "user": {"token": self._token}}],
        }

    def _ready(self) -> bool:
        try:
            return self._get("/readyz") == b"ok"
        except (OSError, ssl.SSLError):  # not listening yet, no certificate yet, or not ready yet
            return False

    def _get(self, path: str) -> bytes:
        trusted = ssl.create_default_context(cafile=self.certificate[0])
        request = urllib.request.Request(f"{self.url}{path}", headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310 -- https
        with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:  # noqa: S310 -- https
            return bytes(answer.read())

    def _stop(self) -> None:
        """End the daemons, the API server before its store, and remove their folder."""
        while self._daemons:
            self._daemons.pop().end()
        shutil.rmtree(self.home, ignore_errors=True)


def _write_private(path: Path, text: str) -> None:
    """A new file that only its owner may read."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text)
