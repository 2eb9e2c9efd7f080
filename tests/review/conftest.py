"""A real git repository with the site of site.yaml in it, and a review of what is changed there."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SITE = Path(__file__).parent / "site.yaml"


class Repository:
    """A git repository of its own in a temporary folder, in which the test stands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        """What git prints; the settings of whoever runs the tests are left out of it."""
        env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        identity = ["-c", "user.name=reviewer", "-c", "user.email=reviewer@example.org"]
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.folder, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self, path: str, text: str) -> Path:
        """A file with its folders."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self, **files: str) -> str:
        """Commit everything, with some files written before; the commit's name."""
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Repository:
    """An empty repository; the test stands in it."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Repository(folder)


@pytest.fixture
def reviewed(repository, cli) -> Callable[..., object]:
    """Reviews a text against site.yaml, which is committed as cluster.yaml."""

    def review(text: str, *options: str) -> object:
        repository.write("cluster.yaml", SITE.read_text())
        repository.commit()
        repository.write("cluster.yaml", text)
        return cli("diff", "main:cluster.yaml", "cluster.yaml", *options)

    return review
