"""Which specs a pull request touches: those of which anything that a comparison reads differs, links followed."""

import subprocess

import pytest

from topology.ci.history import History

SPEC = "version: 1\nname: linked\ncatalog: {catalog}\n"


@pytest.fixture
def repository(tmp_path):
    """A repository whose specs and catalogues are links and files in several folders, at its first commit."""
    (tmp_path / "shared" / "catalog" / "racks").mkdir(parents=True)
    (tmp_path / "shared" / "cluster.yaml").write_text(SPEC.format(catalog="catalog"))
    (tmp_path / "shared" / "catalog" / "racks" / "own.yaml").write_text("extends: nvidia-dgx-h100-x2\n")
    for name in ("linked-spec", "linked-catalog", "alone"):
        (tmp_path / name).mkdir()
    (tmp_path / "linked-spec" / "cluster.yaml").symlink_to("../shared/cluster.yaml")
    (tmp_path / "linked-spec" / "catalog").symlink_to("../shared/catalog")
    (tmp_path / "linked-catalog" / "own").symlink_to("../shared/catalog")
    (tmp_path / "linked-catalog" / "cluster.yaml").write_text(SPEC.format(catalog="own"))
    (tmp_path / "alone" / "cluster.yaml").write_text("version: 1\nname: alone\n")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return tmp_path


def git(folder, *words):
    named = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a change")


def touched(folder):
    """Folders of the specs that the last commit touches."""
    specs = History.between(folder, "HEAD~1", "HEAD").specs(["**/cluster.yaml"])
    return {spec.partition("/")[0] for spec, is_touched in specs.items() if is_touched}


def write(path, text):
    return lambda top: (top / path).write_text(text)


def lead(path, target):
    def change(top):
        (top / path).unlink()
        (top / path).symlink_to(target)

    return change


OWN = "shared/catalog/racks/own.yaml"
CHANGES = {
    "the spec behind a link": (write("shared/cluster.yaml", "version: 1\n"), {"shared", "linked-spec"}),
    "a catalogue file behind two links": (
        write(OWN, "extends: nvidia-dgx-h200-x4\n"),
        {"shared", "linked-spec", "linked-catalog"},
    ),
    "a catalogue that is the whole repository": (
        write("alone/cluster.yaml", SPEC.format(catalog="..")),
        {"alone"},
    ),
    "a link to another file": (lead("linked-spec/cluster.yaml", "../alone/cluster.yaml"), {"linked-spec"}),
    "a link to nothing": (lead("linked-catalog/own", "nowhere"), {"linked-catalog"}),
    "a file beside the spec that nothing reads": (write("alone/notes.md", "x\n"), set()),
    "a file of another folder": (write("readme.md", "x\n"), set()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_read_decides_which_specs_are_touched(name, repository):
    change, specs = CHANGES[name]
    change(repository)
    commit(repository)
    assert touched(repository) == specs


@pytest.mark.parametrize("catalog", [".", "..", "./../", "top"])
def test_every_file_of_a_catalogue_that_is_the_whole_repository_is_read(catalog, repository):
    (repository / "alone" / "top").symlink_to("..")
    (repository / "alone" / "cluster.yaml").write_text(SPEC.format(catalog=catalog))
    commit(repository)
    (repository / "alone" / "notes.md").write_text("x\n")
    commit(repository)
    assert touched(repository) == {"alone"}
