"""Inputs that cannot stand in the repository: devices, floods of brackets, bytes that are no text.

Each is read by a process of its own under 1 GiB of address space and 10 s of processor time,
so that a reader that swells or spins fails here instead of taking the machine along.
"""

import os
import resource
import socket
import subprocess
import sys

import pytest

from topology.findings import FindingsError
from topology.source import YamlSource
from topology.source.file_bytes import MAX_BYTES

READ = """
import sys
from pathlib import Path
from topology.findings import FindingsError
from topology.findings_format import as_text
from topology.source import YamlSource
root = Path(sys.argv[2]) if len(sys.argv) > 2 else None
try:
    data = YamlSource.read(Path(sys.argv[1]), root).data
except FindingsError as error:
    sys.stdout.write(as_text(error.findings, error.lines))
else:
    sys.stdout.write(f"read {len(data)} keys")
"""


def under_limits():
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))


def told(path, *root, cwd):
    """What the reader says about a path, in a process that cannot swell, spin or wait."""
    run = subprocess.run(
        [sys.executable, "-c", READ, path, *root],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=under_limits,
        check=False,
    )
    assert run.stderr == ""
    assert run.returncode == 0
    return run.stdout


def flood(levels):
    return {
        "brackets": "[" * levels,
        "brackets on lines": "[\n" * levels,
        "brackets behind a key": "a: " + "[" * levels,
        "dashes": "- " * levels,
        "mappings": "{a: " * levels,
        "mappings in lists": "[{a: " * levels,
    }


@pytest.mark.parametrize("shape", flood(0))
@pytest.mark.parametrize("levels", [5_000, 1_000_000])
def test_a_flood_of_levels_is_refused_at_the_sixty_fifth(tmp_path, shape, levels):
    (tmp_path / "flood.yaml").write_text(flood(levels)[shape])
    assert "error[S129]: more than 64 levels" in told("flood.yaml", cwd=tmp_path)


@pytest.mark.parametrize("opening", ["{", "? ", "[]: ", "{}: "])
@pytest.mark.parametrize("levels", [5_000, 1_000_000])
def test_a_flood_of_keys_that_are_no_words_is_refused_at_the_first(tmp_path, opening, levels):
    (tmp_path / "flood.yaml").write_text(opening * levels)
    assert "stands where a key is wanted" in told("flood.yaml", cwd=tmp_path)


def test_an_alias_chain_counts_the_levels_it_stands_for(tmp_path):
    rungs = [f"a{i}: &a{i} {'[' * 30}{f'*a{i - 1}' if i else 'x'}{']' * 30}\n" for i in range(5)]
    (tmp_path / "chain.yaml").write_text("".join(rungs))
    assert "error[S129]: alias *a1 makes more than 64 levels" in told("chain.yaml", cwd=tmp_path)


@pytest.mark.parametrize("rung", ["[*a{below}, *a{below}]", "{{<<: *a{below}, k{below}: *a{below}}}"])
def test_aliases_of_aliases_are_refused_before_anything_walks_them(tmp_path, rung):
    rungs = [f"a{i}: &a{i} {rung.format(below=i - 1)}\n" for i in range(1, 40)]
    (tmp_path / "bomb.yaml").write_text("".join(["a0: &a0 {x: 1}\n", *rungs]))
    assert "error[S128]: aliases stand for " in told("bomb.yaml", cwd=tmp_path)


def test_a_hundred_thousand_aliased_values_are_read_and_one_more_refused(tmp_path):
    ten_thousand = f"a: &a [{'x,' * 9_999}]\n"
    (tmp_path / "all.yaml").write_text(f"{ten_thousand}b: [{'*a,' * 10}]\n")
    assert told("all.yaml", cwd=tmp_path) == "read 2 keys"
    (tmp_path / "more.yaml").write_text(f"{ten_thousand}b: [{'*a,' * 10}]\nc: &c 1\nd: *c\n")
    assert "aliases stand for 100,001 values; 100,000 are the limit" in told("more.yaml", cwd=tmp_path)


def test_a_number_of_five_thousand_digits_is_refused(tmp_path):
    (tmp_path / "long.yaml").write_text(f"racks: {'9' * 5_000}")
    assert "error[S133]: a number of 5,000 characters" in told("long.yaml", cwd=tmp_path)


@pytest.mark.parametrize("length", [129, 1_024, 2_000, 100_000])
def test_a_key_without_end_is_refused(tmp_path, length):
    (tmp_path / "long.yaml").write_text(f"{'k' * length}: 1")
    assert "a key of " in told("long.yaml", cwd=tmp_path)


@pytest.mark.parametrize("line", ["k" * 3_000_000, "a.b-" * 700_000, "eyJ-" * 700_000, "a://" * 700_000])
def test_looking_for_secrets_in_a_long_line_takes_no_square_time(tmp_path, line):
    (tmp_path / "line.yaml").write_text(f"\x00{line}")
    assert "error[S112]: NUL" in told("line.yaml", cwd=tmp_path)


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "error[S102]: it is a pipe" in told("pipe.yaml", cwd=tmp_path)


@pytest.mark.parametrize(("path", "kind"), [("/dev/zero", "a device"), ("/dev/null", "a device"), (".", "a folder")])
def test_only_regular_files_are_read(tmp_path, path, kind):
    assert f"error[S102]: it is {kind}, not a regular file" in told(path, cwd=tmp_path)


def test_a_socket_is_refused(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert "error[S101]: cannot read the file: no such device or address" in told("s", cwd=tmp_path)


def test_a_file_of_one_gigabyte_is_refused_by_its_size(tmp_path):
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(2**30)
    assert "error[S103]: the file has 1,073,741,824 bytes" in told("big.yaml", cwd=tmp_path)


def test_the_largest_file_is_read_to_its_end(tmp_path):
    with (tmp_path / "big.yaml").open("wb") as file:
        file.write(b"#" * (MAX_BYTES - 1) + b"\0")
    assert "NUL (U+0000) at byte 16777215" in told("big.yaml", cwd=tmp_path)


def test_more_than_the_limit_on_standard_input_is_refused():
    with pytest.raises(FindingsError) as error:
        YamlSource.parse("<stdin>", b"#" * (MAX_BYTES + 1))
    assert [finding.code for finding in error.value.findings] == ["S103"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("absent.yaml", "no such file or directory"),
        ("file/spec.yaml", "not a directory"),
        ("loop.yaml", "too many levels of symbolic links"),
        ("n" * 300, "file name too long"),
    ],
)
def test_the_systems_refusal_is_told_in_its_words(tmp_path, path, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert f"error[S101]: cannot read the file: {words}" in told(path, cwd=tmp_path)


def test_a_path_with_a_null_byte_is_a_finding(tmp_path):
    with pytest.raises(FindingsError) as error:
        YamlSource.read(tmp_path / "a\0b")
    assert [finding.code for finding in error.value.findings] == ["S101"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_without_permission_is_told_in_the_systems_words(tmp_path):
    (tmp_path / "spec.yaml").touch(mode=0)
    assert "cannot read the file: permission denied" in told("spec.yaml", cwd=tmp_path)


def test_a_name_that_is_no_text_is_shown_with_escapes(tmp_path):
    path = os.fsdecode(b"sp\xe9c\x1b.yaml")
    assert r" --> sp\udce9c\x1b.yaml" in told(path, cwd=tmp_path)


@pytest.mark.parametrize("link", ["../outside.yaml", "/etc/hostname", "folder/../../outside.yaml"])
def test_a_link_that_leaves_the_root_is_refused(tmp_path, link):
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "spec.yaml").symlink_to(link)
    assert "error[S104]: it leads out of the folder root" in told("root/spec.yaml", "root", cwd=tmp_path)


def test_a_folder_that_leaves_the_root_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/spec.yaml").write_text("a: 1\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/catalog").symlink_to("../elsewhere")
    assert "error[S104]" in told("root/catalog/spec.yaml", "root", cwd=tmp_path)
    assert "error[S104]" in told("root/../elsewhere/spec.yaml", "root", cwd=tmp_path)


def test_a_link_inside_the_root_is_followed(tmp_path):
    (tmp_path / "root/folder").mkdir(parents=True)
    (tmp_path / "root/folder/spec.yaml").write_text("a: 1\n")
    (tmp_path / "root/spec.yaml").symlink_to("folder/spec.yaml")
    assert told("root/spec.yaml", "root", cwd=tmp_path) == "read 1 keys"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"name: caf\xe9\n", "byte 9 is 0xe9, which is not UTF-8"),
        (b"a: 1\nname: \x93smart\x94\n", "byte 11 is 0x93, which is not UTF-8"),
        ("a: 1".encode("utf-16"), "the file is UTF-16, not UTF-8 (byte 0 is 0xff)"),
        (b"\xfe\xff" + "a: 1".encode("utf-16-be"), "the file is UTF-16, not UTF-8 (byte 0 is 0xfe)"),
        ("a: 1".encode("utf-16-le"), "NUL (U+0000) at byte 1"),
        ("a: 1".encode("utf-32-be"), "NUL (U+0000) at byte 0"),
        (b"a: \xed\xa0\x80\n", "half a surrogate pair at byte 3 (0xeda080)"),
        (b"a: \xc0\xaf\n", "byte 3 is 0xc0, which is not UTF-8"),
        (b"a: \xf0\x9f\x92", "byte 3 is 0xf0, which is not UTF-8"),
        (b"a: 1\0\n", "NUL (U+0000) at byte 4"),
        (b"\xef\xbb\xbfa: 1\n\xef\xbb\xbfb: 2\n", "byte order mark (U+FEFF) at byte 8"),
        (b"a: \xc2\x9b31m\n", "control character (U+009B) at byte 3"),
        (b"a: x\xe2\x80\xa8b: 2\n", "line separator (U+2028) at byte 4"),
        (b"# caf\xc3\xa9\n\ta: 1\n", "a tab at byte 8"),
        (b"a:\t1\r\nb:\t2\r\nc:\t3\r\n", "a tab at byte 2; 2 more lines have one"),
        (b"a: 1\r\nb:\t2\r\n", "a tab at byte 8"),
    ],
    ids=str,
)
def test_bytes_that_are_no_plain_text_are_refused_with_their_offset(tmp_path, data, words):
    (tmp_path / "spec.yaml").write_bytes(data)
    assert words in told("spec.yaml", cwd=tmp_path)


@pytest.mark.parametrize("filler", ["#", "\n", " ", "# a\n"])
def test_text_beyond_what_is_parsed_is_refused_before_it_takes_a_minute(tmp_path, filler):
    (tmp_path / "big.yaml").write_text("a: 1\nb:\n" + filler * (15 * 2**20 // len(filler)))
    assert "error[S103]: more than 2,097,152 characters are not parsed" in told("big.yaml", cwd=tmp_path)


def test_more_values_than_any_spec_has_are_refused(tmp_path):
    (tmp_path / "many.yaml").write_text(f"a: [{'1,' * 100_000}]\n")
    assert "error[S128]: more than 60,000 keys and values" in told("many.yaml", cwd=tmp_path)
