import json

import controllers
import pytest
import yaml
from real_programs import real_program

from topology.deploy import kubernetes
from topology.deploy.kubernetes.server import Server
from topology.verify.api_server import ApiServer
from topology.verify.programs import run


@pytest.fixture(scope="session")
def real():
    """Gives the real program of a name."""
    return real_program


@pytest.fixture(scope="session")
def api(real):
    """A real API server, one for all tests of a process; each test removes what it made."""
    with ApiServer(real("etcd"), real("kube_apiserver")) as server:
        yield server


@pytest.fixture(scope="session")
def kubectl(api, real):
    """Runs the real kubectl of the server's release against it: somebody else than `topology`."""

    def ask(*words, stdin=""):
        answer = run([real("kubectl"), "--kubeconfig", api.kubeconfig, *words], stdin=stdin)
        assert answer.code == 0, answer.err
        return answer.out

    return ask


class Cell:
    """A folder of manifests and the server that they go to."""

    def __init__(self, folder, api, owner):
        self.folder, self.api, self.owner = folder, api, owner
        folder.mkdir()

    def write(self, file, *objects):
        (self.folder / file).write_text("".join(f"---\n{yaml.safe_dump(each)}" for each in objects))

    def remove(self, file):
        (self.folder / file).unlink()

    def options(self, more):
        return {"owner": self.owner, "kubeconfig": self.api.kubeconfig, **more}

    def apply(self, **more):
        return kubernetes.apply([self.folder], **self.options(more))

    def drift(self):
        return [str(each) for each in kubernetes.drift([self.folder], **self.options({}))]

    def delete(self):
        return kubernetes.delete(**self.options({}))

    def get(self, path):
        return self.api.ask(path)

    def names(self, path):
        return sorted(each["metadata"]["name"] for each in self.get(path)["items"])


@pytest.fixture
def cell(tmp_path, api):
    made = Cell(tmp_path / "c1", api, "site-c1")
    yield made
    made.delete()
    with Server(kubeconfig=api.kubeconfig) as server:
        controllers.remove_namespaces(server)


@pytest.fixture
def somebody_else(kubectl):
    """Makes objects as another user does, and removes them after the test."""
    made = []

    def make(*objects):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        kubectl("create", "-f", "-", stdin=text)
        made.append(text)

    yield make
    for text in made:
        kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=text)
