"""A repository with a spec, its pull request, and the jobs that run on it."""

import subprocess
from pathlib import Path

import github_server
from action_runner import ROOT, Job

SPEC = (ROOT / "tests/golden/gb300-two-units/cluster.yaml").read_text()


class Site:
    """A repository, its pull request number 12, and the runner."""

    number = 12
    action, comment_action = ROOT, ROOT / "comment"

    def __init__(self, folder, github, installed):
        self.folder, self.github, self.installed = folder, github, installed
        self.repository = folder / "work"
        self.repository.mkdir()
        self.runs = 0
        self.git("init", "-q", "-b", "main")
        self.write({"stacks/one/cluster.yaml": SPEC, "README.md": "site"}, "base")
        self.git("checkout", "-qb", "pr")

    def git(self, *words):
        """What git prints."""
        name = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *name, *words], cwd=self.repository, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    def write(self, files, message):
        """A commit with these files; None removes one, a path is a link."""
        for path, text in files.items():
            file = self.repository / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None or isinstance(text, Path) or file.is_symlink():
                file.unlink(missing_ok=True)
            if isinstance(text, Path):
                file.symlink_to(text)
            elif text is not None:
                file.write_text(text)
        self.git("add", "-A", "-f")
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")

    def event(self, *, owner="site"):
        """The event of a push to the pull request as it stands now."""
        head = {"sha": self.git("rev-parse", "HEAD"), "repo": {"full_name": f"{owner}/cluster"}}
        base = {"sha": self.git("rev-parse", "main"), "ref": "main"}
        return {"pull_request": {"number": self.number, "head": head, "base": base}}

    def compare(self, **inputs):
        """Run the action on the pull request."""
        return self.job("pull_request", self.event()).run(ROOT, done=("Set up",), **inputs)

    def comment(self, *, event=None, event_name="pull_request", done=("Set up",), **inputs):
        """Run the commenting action on what the last comparison left."""
        job = self.job(event_name, event or self.event(), again=True)
        job.workspace = job.temp / "empty"  # it checks nothing out
        job.workspace.mkdir()
        return job.run(ROOT / "comment", done=done, **inputs)

    def job(self, event_name, event, *, again=False):
        """A job of a new run, or of the last one again."""
        self.runs += not again
        temp = self.folder / f"temp-{len(list(self.folder.glob('temp-*')))}"
        temp.mkdir()
        for environment in self.installed:
            (temp / environment.name).symlink_to(environment)
        variables = {"GITHUB_API_URL": self.github.address, "GITHUB_REPOSITORY": github_server.REPOSITORY}
        job = Job(temp, self.repository, event_name, event, variables, self.github, self.runs)
        job.token = github_server.TOKEN
        return job

    def push(self, files, message="change"):
        """A push to the pull request: the commit, and its head at GitHub."""
        sha = self.write(files, message)
        self.github.pull(self.number, sha)
        return sha
