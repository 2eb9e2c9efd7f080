from pathlib import Path

import pytest

from topology.verify.api_server import ApiServer, StartError
from topology.verify.programs import run


def test_a_program_that_ends_at_once_is_named_with_its_last_words(tmp_path):
    refusing = tmp_path / "kube-apiserver"
    refusing.write_text("#!/bin/sh\necho unknown flag: --bind-address; exit 3\n")
    refusing.chmod(0o755)
    server = ApiServer(Path("/bin/true"), refusing)
    with pytest.raises(StartError, match=r"^kube-apiserver ended with 3: unknown flag: --bind-address$"), server:
        pass
    assert not server.home.exists()


@pytest.mark.kubernetes
def test_it_listens_on_this_machine_alone_and_leaves_nothing_behind(real):
    with ApiServer(real("etcd"), real("kube_apiserver")) as server:
        assert server.url.startswith("https://127.0.0.1:")
        assert server.ask("/version")["gitVersion"] == "v1.36.1"
        assert server.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert not server.home.exists()
    assert str(server.home) not in run(["ps", "-eo", "args"]).out


@pytest.mark.kubernetes
def test_who_has_no_token_is_nobody_there(api, real):
    answer = run(
        [
            real("kubectl"),
            "--server",
            api.url,
            "--certificate-authority",
            api.certificate[0],
            "--token=no",
            "get",
            "nodes",
        ]
    )
    assert "Unauthorized" in answer.err or "must be logged in" in answer.err
