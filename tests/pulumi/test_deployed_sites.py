"""The sites under stacks/, deployed from the folders that a user copies, by the real engine."""

import shutil
from pathlib import Path

import pytest
from conftest import at
from standing import registered, standing

pytestmark = pytest.mark.pulumi
STACKS = Path(__file__).parents[2] / "stacks"


def checkout(name, home, engine):
    """A checkout with one site, built as `make run` builds it."""
    made = at(home, engine)
    made.state.mkdir(parents=True)
    made = type(made)(home / "stacks" / name, made.state, made.env)
    shutil.copytree(STACKS / name, made.project, ignore=shutil.ignore_patterns("site"))
    ran = made.topology("build", made.project / "cluster.yaml", "-o", home / "build" / name)
    assert ran.code == 0, ran.out
    text = (made.project / "Pulumi.yaml").read_text()
    options = "  options:\n    virtualenv: ../../.venv\n"
    assert options in text
    (made.project / "Pulumi.yaml").write_text(text.replace(options, ""))  # this test's own Python is on PATH
    return made


def test_the_superpod_goes_up_from_its_folder(engine, tmp_path):
    site = checkout("superpod-h100", tmp_path, engine)
    site.stack("s1")
    ran = site.up("s1")
    assert ran.code == 0, ran.out
    assert len(site.rows("nodes")[0]) == 127
    assert len(site.rows("cables")[0]) == 1020 + 1024


def test_all_four_stages_of_colossus_go_up_in_order(engine, tmp_path):
    site = checkout("colossus", tmp_path, engine)
    needs = {
        "s1": ["energised.h1", "banks.megapacks-1", "banks.megapacks-2"],
        "s2": ["permits.substation-63", "energised.h2", "banks.megapacks-3"],
        "s3": ["energised.h3"],
        "s4": ["permits.turbines", "energised.h4", "banks.megapacks-4"],
    }
    site.stack(*needs)
    build = tmp_path / "build/colossus"
    for number, (stage, names) in enumerate(needs.items()):
        if stage == "s2":
            early = site.up("s3")
            assert early.errors[-1] == "stage s3: stage s2 before it is not deployed; run pulumi up -s s2"
            refused = site.up("s2")
            assert refused.errors[0].startswith("stage s2: the permit of substation-63 is not attested; attest it: ")
            assert not site.pieces("s2")
            assert not site.pieces("s3")
        site.attest(stage, *names)
        ran = site.up(stage)
        assert ran.code == 0, ran.out
        assert registered(site) == standing(type(site)(build / "pulumi", site.state, site.env), number)
    for stage in needs:
        again = site.up(stage, "--expect-no-changes")
        assert again.code == 0, again.out
    current = site.project / "site/slurm/colossus/current"
    assert str(current.readlink()).startswith("releases/s4-")
    published = {path.name: path.read_bytes() for path in current.iterdir() if not path.name.startswith(".")}
    built = {path.name: path.read_bytes() for path in (build / "stages/s4/slurm/colossus").iterdir()}
    assert published == built
