"""Kueue's own controller and webhooks beside a real API server: they judge topologies, quotas and jobs.

Admission alone is what is asked for, so no scheduler, kubelet or controller manager is needed: nodes are objects with
a status, and a job that Kueue admits carries the domains it was given.
"""

import base64
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from topology.verify.api_server import ApiServer
from topology.verify.cache import UnavailableError
from topology.verify.programs import run
from topology.verify.server_process import ServerProcess, free_port

START_S = 60
NAMESPACE = "kueue-system"
# Kueue reads these two files from this folder, whatever its configuration says (cmd/kueue/main.go).
METRICS_CERTIFICATES = Path("/etc/kueue/metrics/certs")
JUDGED = frozenset({"kueue.x-k8s.io", "batch"})  # API groups whose webhooks are installed


class KueueController:
    """Context manager: Kueue's controller from `program` on `server`, whose CRDs of Kueue are there already.

    Raises:
        StartError: on entering, when it does not get ready; the text holds its last words.
        UnavailableError: on entering, when this machine lets nobody put its certificates where it reads them.
    """

    def __init__(self, program: Path, server: ApiServer) -> None:
        self._program, self._server = program, server
        self._home = server.home / "kueue"
        self._daemon: ServerProcess | None = None

    def __enter__(self) -> Self:
        self._home.mkdir()
        certificates = self._home / "certs"
        certificates.mkdir()
        for source, name in zip(self._server.certificate, ("tls.crt", "tls.key"), strict=True):
            shutil.copy(source, certificates / name)
        self.webhook_port, self._health_port = free_port(), free_port()
        settings = self._home / "config.json"  # JSON is YAML
        settings.write_text(json.dumps(self._settings(certificates)))
        argv: list[str | Path] = [self._program, f"--config={settings}", "--feature-gates=VisibilityOnDemand=false"]
        # Only what it needs: a proxy of the machine is none of its business
        env = {
            "PATH": os.defpath,
            "HOME": str(self._home),
            "KUBECONFIG": str(self._server.kubeconfig),
            "POD_NAMESPACE": NAMESPACE,
        }
        self._daemon = ServerProcess([*_with_certificates(certificates), *argv], self._home / "kueue.log", env=env)
        try:
            self._daemon.wait_for(self._ready, limit_s=START_S)
        except BaseException:
            self._daemon.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon is not None:
            self._daemon.end()

    @property
    def log(self) -> str:
        """Everything Kueue has said so far."""
        return self._daemon.log if self._daemon is not None else ""

    def webhooks(self, manifests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Kueue's own webhook configurations, led to this process in place of a Service of the cluster.

        `manifests` are the documents of `config/components/webhook/manifests.yaml` in Kueue's module.
        """
        trusted = base64.b64encode(self._server.certificate[0].read_bytes()).decode()
        for manifest in manifests:
            kept = []
            for hook in manifest["webhooks"]:
                path = hook["clientConfig"]["service"]["path"]
                url = f"https://127.0.0.1:{self.webhook_port}{path}"
                if all(JUDGED.issuperset(rule["apiGroups"]) for rule in hook["rules"]):
                    kept.append({**hook, "clientConfig": {"url": url, "caBundle": trusted}})
            name = f"kueue-{manifest['metadata']['name']}"
            yield {**manifest, "metadata": {"name": name}, "webhooks": kept}

    def _settings(self, certificates: Path) -> Mapping[str, Any]:
        return {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "namespace": NAMESPACE,
            "health": {"healthProbeBindAddress": f"127.0.0.1:{self._health_port}"},
            "metrics": {"bindAddress": f"127.0.0.1:{free_port()}"},
            "webhook": {"host": "127.0.0.1", "port": self.webhook_port, "certDir": str(certificates)},
            "leaderElection": {"leaderElect": False},
            "internalCertManagement": {"enable": False},
            "integrations": {"frameworks": ["batch/job"]},
        }

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004 -- HTTP's own code
        except OSError:
            return False


def _with_certificates(certificates: Path) -> list[str | Path]:
    """Words that start a program which finds `certificates` in `METRICS_CERTIFICATES`.

    A mount of its own leaves the machine as it is; where that is not allowed, as in many containers, root writes them.
    """
    for words in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if run([*words, "mount", "-t", "tmpfs", "tmpfs", "/etc"]).code == 0:
            mounted = f"mount -t tmpfs tmpfs /etc && mkdir -p {METRICS_CERTIFICATES}"
            script = f'{mounted} && cp "$0"/* {METRICS_CERTIFICATES} && exec "$@"'
            return [*words, "sh", "-c", script, certificates]
    try:
        METRICS_CERTIFICATES.mkdir(parents=True, exist_ok=True)
        for path in certificates.iterdir():
            shutil.copy(path, METRICS_CERTIFICATES / path.name)
    except OSError as error:
        raise UnavailableError(f"Kueue cannot have its certificates in {METRICS_CERTIFICATES}: {error}") from error
    return []
