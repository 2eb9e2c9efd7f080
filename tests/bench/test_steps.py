"""The benchmark's steps are functions that a build really calls, found by the names it calls them by."""

from pathlib import Path

from steps import Shares

SPEC = Path(__file__).parent.parent / "golden/h100-unit/cluster.yaml"


def test_a_build_calls_every_function_that_the_benchmark_times(cli, tmp_path, monkeypatch):
    shares = Shares()
    timed = shares.install(monkeypatch.setattr)
    run = cli("build", str(SPEC), "-o", str(tmp_path / "out"))
    assert run.code == 0, run.err
    assert shares.called == timed
    assert all(seconds > 0 for seconds in shares.seconds.values())
