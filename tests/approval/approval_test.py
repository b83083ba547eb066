"""What a user sees is what was approved: each transcript of this folder, run again.

A difference is either a mistake or the point of the change. `scripts/approve` writes the new text; review its diff.
"""

import re

import masks
import pytest
import transcripts

README = (transcripts.ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", transcripts.names())
def test_prints_what_was_approved(name, tmp_path):
    approved = transcripts.read(transcripts.path_of(name).read_text())
    found = transcripts.run_again(approved, tmp_path / "session")
    changed = transcripts.difference(approved, found)
    assert not changed, f"{name}.txt (if this is meant: scripts/approve {name})\n\n{changed}"


@pytest.mark.parametrize("name", transcripts.names())
def test_a_transcript_is_written_as_it_is_read(name):
    text = transcripts.path_of(name).read_text()
    assert transcripts.write(transcripts.read(text)) == text


def test_every_subcommand_has_a_transcript():
    shown = "\n".join(transcripts.path_of(name).read_text() for name in transcripts.names())
    commands = set(re.findall(r"^  roundtrip ([a-z]+)", transcripts.path_of("help").read_text().replace("    ", "  "), re.M))
    assert len(commands) >= 12
    assert [command for command in sorted(commands) if f"$ roundtrip {command}" not in shown] == []


def one_line(command):
    return " ".join(command.replace("\\\n", " ").split())


def test_the_first_screen_of_the_readme_is_what_its_command_prints():
    typed = one_line(re.search(r"```sh\n.*?^build/release/(roundtrip .*?)```", README, re.M | re.S)[1])
    table = re.search(r"```text\n(.*?)```", README, re.S)[1]
    shown = next(block for block in transcripts.read(transcripts.path_of("readme").read_text()) if block.command)
    assert one_line(shown.command).startswith(typed + " ")
    masked = masks.mask(table, {})
    assert masks.differences(shown.lines[: len(masked)], masked) == [] and len(masked) == 7


TABLE = """\
method       w  images   psnr  codec psnr  NFE  network s
ddim         1       2  28.50       34.14    8      0.045
null_text  7.5       2  15.09       34.14   52      1.036

8 of 8 records; 136 network evaluations made; results in sweep/results.h5
time: eps 14 %, vjp 80 %, elsewhere 6 %; batches 30 % full"""


def changed_by(before, after):
    assert before in TABLE
    return masks.differences(masks.mask(TABLE, {}), masks.mask(TABLE.replace(before, after), {}))


@pytest.mark.parametrize(("before", "after"), [("0.045", "0.161"), ("eps 14 %, vjp 80", "eps 80 %, vjp 9"), ("28.50", "28.51")])
def test_what_machines_differ_in_is_not_compared(before, after):
    assert changed_by(before, after) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (" 52 ", "  4 "),  # NFE
        ("136 network", "137 network"),
        ("28.50", "28.70"),
        ("30 % full", "31 % full"),
        ("null_text  7.5", "null_text  7.0"),
        ("  NFE", "  nfe"),
        ("codec psnr", "codec  psnr"),
        ("       2  15.09", "      2  15.09"),
        ("8 of 8 records; ", "8 of 8 records, 1 of them failed; "),
    ],
)
def test_what_matters_is_compared(before, after):
    assert changed_by(before, after) != []


def test_tables_of_every_format_hide_seconds_alone():
    csv = "method,nfe,seconds,seconds_low,psnr_images\nddim,8,0.0251,0.0251,2"
    assert masks.mask(csv, {})[1] == "ddim,8,<s>,<s>,2"
    markdown = "| method | NFE | time in the network (s) ↓ |\n|---|---:|---:|\n| ddim | **8** | **0.0251** ± 0.1 |"
    assert masks.mask(markdown, {})[2].startswith("| ddim | **8** | <s>")


@pytest.fixture
def changed_transcript(tmp_path, monkeypatch):
    """A transcript of its own, of a command that prints something else by now."""
    monkeypatch.setattr(transcripts, "HERE", tmp_path)
    (tmp_path / "visible_text.py").touch()
    text = "What it shows.\n\n  $ echo one; echo two >&2; exit 3\n  one\n  ! three\n  [3]\n\n  $ echo same\n  same\n"
    (tmp_path / "made.txt").write_text(text)
    return transcripts.read(text)


def test_a_change_is_seen_and_shown(changed_transcript, tmp_path):
    found = transcripts.run_again(changed_transcript, tmp_path / "session")
    shown = transcripts.difference(changed_transcript, found).splitlines()
    assert shown[0] == "$ echo one; echo two >&2; exit 3"
    assert "-! three" in shown and "+! two" in shown and not any("same" in line for line in shown)
