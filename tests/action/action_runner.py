"""A stand-in for the machine that runs an action: the steps of an action.yml under bash, as GitHub's runner does.

Expressions, conditions and artifacts are those that our own actions use; anything else is an error, so that
an action that needs more fails here instead of being taken for run.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Job:
    """A run of one action: where, on which event, and what came of it."""

    temp: Path  # RUNNER_TEMP
    workspace: Path
    event_name: str
    event: dict
    variables: dict = field(default_factory=dict)  # set by GitHub: GITHUB_API_URL and the like
    github: object = None  # where artifacts go
    run_id: int = 7
    token: str = ""
    code: int = 0
    log: str = ""
    outputs: dict = field(default_factory=dict)

    @property
    def summary(self):
        """What stands on the run's page."""
        path = self.temp / "summary.md"
        return path.read_text() if path.exists() else ""

    def run(self, action, *, done=(), **inputs):
        """Run the steps of an action, less those `done` before; after a failed one only what asks for it."""
        document = YAML(typ="safe").load((action / "action.yml").read_text())
        known = set(document["inputs"])
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= known, f"the action takes no {set(given) - known}"
        values = {
            f"inputs.{name}": str(given.get(name, each.get("default", ""))) for name, each in document["inputs"].items()
        }
        values |= {"runner.temp": str(self.temp), "github.action_path": str(action), "github.token": self.token}
        values = {name: self._filled(value, values) for name, value in values.items()}
        for step in document["runs"]["steps"]:
            if step["name"] in done or not self._wanted(step.get("if"), values):
                continue
            if "run" in step:
                self._script(step, values)
            else:
                self._upload(step, values)
        return self

    def _filled(self, text, values):
        return EXPRESSION.sub(lambda found: values[found[1]], str(text))

    def _wanted(self, condition, values):
        """Whether a step runs; every term is one that our actions use."""
        if condition is None:
            return self.code == 0
        terms = EXPRESSION.fullmatch(condition)[1].split(" && ")
        assert terms[0] == "!cancelled()"
        return all(self._holds(term, values) for term in terms[1:])

    def _holds(self, term, values):
        name, sign, other = term.split(" ")
        value = values.get(name, "")
        assert sign in {"==", ">"}
        return value == other.strip("'") if sign == "==" else float(value or 0) > float(other)

    def _script(self, step, values):
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "a value of the event or of an input may not become part of a script"
        script, outputs = self.temp / "step.sh", self.temp / "outputs.txt"
        script.write_text(step["run"])
        outputs.write_text("")
        (self.temp / "event.json").write_text(json.dumps(self.event))
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            **self.variables,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": str(self.temp / "event.json"),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            **{name: self._filled(value, values) for name, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self._filled(step.get("working-directory", self.workspace), values),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        self.log += done.stdout + done.stderr
        self.code = self.code or done.returncode
        for line in outputs.read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[name] = value
            values[f"steps.{step.get('id')}.outputs.{name}"] = value

    def _upload(self, step, values):
        assert re.fullmatch(r"actions/upload-artifact@[0-9a-f]{40}", step["uses"])
        with_ = {name: self._filled(value, values) for name, value in step["with"].items()}
        folder = Path(with_["path"])
        files = {
            str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()
        }
        if files:
            self.github.artifact(self.run_id, files, name=with_["name"])
