"""Secrets of a stack's configuration stay secrets, by the real engine."""

import pytest

pytestmark = pytest.mark.pulumi
TOLD_ONCE = "hunter2-of-the-scheduler"


def test_a_secret_command_is_a_secret_of_the_state_and_works_as_one(begun):
    begun.must("config", "set", "-s", "s1", "--secret", "--path", "publish.after", f"/bin/echo {TOLD_ONCE}")
    said = begun.must("up", "-s", "s1", "--yes", "--skip-preview")
    said += begun.must("refresh", "-s", "s1", "--yes", "--skip-preview")
    said += begun.must("up", "-s", "s1", "--yes", "--skip-preview", "--expect-no-changes")
    assert TOLD_ONCE not in said
    files = [path for path in begun.state.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TOLD_ONCE.encode() in path.read_bytes()]
    shown = begun.must("stack", "export", "-s", "s1", "--show-secrets")
    assert TOLD_ONCE in shown  # it is there for who has the passphrase
