"""What GitHub and code scanning read: annotations of what is new, and every rule declared."""

import json
from pathlib import Path

TEXT = (Path(__file__).parent / "site.yaml").read_text()
SHORT = TEXT.replace("capacity_mw: 8,", "capacity_mw: 2,").replace("unit_mw: 2.5", "unit_mw: 1")


def test_annotations_stand_on_the_lines_of_head_and_tell_only_what_is_new(reviewed, repository, cli):
    run = reviewed(SHORT, "--format", "github")
    assert run.code == 1
    (line,) = run.out.splitlines()
    assert line.startswith("::error file=cluster.yaml,line=")
    assert "title=P301::stage s2 draws 5.9 MW" in line
    repository.commit()
    repository.write("cluster.yaml", SHORT.replace("lab", "hall"))
    assert cli("diff", "main:cluster.yaml", "cluster.yaml", "--format", "github").out == ""


def test_sarif_has_the_findings_of_head_and_declares_every_rule(reviewed):
    run = reviewed(SHORT, "--format", "sarif")
    (log,) = json.loads(run.out)["runs"]
    assert [result["ruleId"] for result in log["results"]] == ["P301"]
    assert len(log["tool"]["driver"]["rules"]) > 80


def test_several_formats_are_written_at_once(reviewed, repository):
    run = reviewed(SHORT, "-f", "text", "-f", "markdown=c.md", "-f", "json=c.jsonl", "-f", "sarif=c.sarif")
    assert run.out.startswith("fault: reviewed: supply falls 1.91 MW short")
    written = {path.name for path in repository.folder.iterdir()}
    assert {"c.md", "c.jsonl", "c.sarif"} <= written
    assert (
        (repository.folder / "c.md")
        .read_text()
        .startswith("<!-- topology:cluster.yaml -->\n❌ **`reviewed`: supply falls 1.91 MW")
    )
