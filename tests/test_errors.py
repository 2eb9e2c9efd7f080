"""Broken specs, each beside the exact words the user reads about it."""

from pathlib import Path

import pytest

from topology.rules import RULES

ERRORS = Path(__file__).parent / "errors"
GENERATED = {  # rules whose input cannot be committed as a file: test_faults_input.py breaks them
    "S101",
    "S102",
    "S103",
    "S104",
    "S111",
}


@pytest.mark.parametrize("spec", sorted(ERRORS.glob("*.yaml")), ids=lambda spec: spec.stem)
def test_a_broken_spec_is_answered_with_the_words_on_record(spec, cli, monkeypatch, update_golden):
    monkeypatch.chdir(ERRORS)
    words = cli("check", spec.name).out
    record = spec.with_suffix(".txt")
    if update_golden:
        record.write_text(words, encoding="utf-8")
    assert record.read_text(encoding="utf-8") == words


def test_every_record_has_its_spec():
    assert {record.stem for record in ERRORS.glob("*.txt")} == {spec.stem for spec in ERRORS.glob("*.yaml")}


def test_every_rule_of_the_spec_is_broken_by_a_spec():
    words = "".join(record.read_text(encoding="utf-8") for record in ERRORS.glob("*.txt"))
    assert {code for code in RULES if f"[{code}]" not in words} == GENERATED


def test_no_answer_quotes_a_secret():
    words = "".join(record.read_text(encoding="utf-8") for record in ERRORS.glob("*secret*.txt"))
    for secret in ("hunter2", "AKIAIOSFODNN7EXAMPLE", "pul-0123456789abcdef", "more of it"):
        assert secret not in words
