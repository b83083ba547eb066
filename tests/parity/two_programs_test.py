"""`roundtrip` starts without LibTorch and becomes `roundtrip-networks` for what needs it; a person sees one program."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
NETWORKS = BINARY.with_name("roundtrip-networks")
MODEL = ROOT / "tests/golden/models/tiny-sd"


def called(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)
    return done.returncode, done.stdout, done.stderr


def libraries(program):
    return subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout


def test_only_the_other_program_links_libtorch():
    for library in ("libtorch", "libopencv"):
        assert library in libraries(NETWORKS)
        assert library not in libraries(BINARY)


@pytest.mark.parametrize(
    "words",
    [[], ["--help", "method=null_text"], ["--version"], ["list"], ["describe"], ["--cfg", "job", "--resolve"]],
    ids=" ".join,
)
def test_both_say_the_same(words):
    code, text, errors = called(BINARY, *words)
    assert code == 0, errors
    assert (code, text, errors) == called(NETWORKS, *words)


def test_the_description_holds_what_is_registered():
    description = json.loads(called(BINARY, "describe")[1])
    assert {"run", "plan", "rerun", "rescore"} <= {command["name"] for command in description["commands"]}
    parameters = {method["name"]: method["parameters"] for method in description["methods"]}
    assert parameters.keys() == {path.stem for path in (ROOT / "configs/method").glob("*.yaml")}
    assert parameters["null_text"]["inner_steps"].startswith("int in [")


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Words that need the other program, and what it answers."""
    photos = tmp_path_factory.mktemp("photos")
    shutil.copy(next((ROOT / "datasets").rglob("*.png")), photos)
    words = ["plan", "--no-calibration", f"model.path={MODEL}", f"dataset.path={photos}", "steps=2"]
    answer = called(NETWORKS, *words)
    assert answer[0] == 0, answer[2]
    return words, answer


def ways(folder):
    """Command, folder and environment of each way to call a program."""
    link = folder / "rt"
    link.symlink_to(BINARY)
    build = folder / "build"
    build.symlink_to(BINARY.parent)
    chain = folder / "again"
    chain.symlink_to("rt")
    return {
        "relative": ([f"./{BINARY.name}"], BINARY.parent, None),
        "up and down": ([f"../{BINARY.parent.name}/{BINARY.name}"], BINARY.parent, None),
        "path": ([BINARY.name], folder, {**os.environ, "PATH": f"{BINARY.parent}:{os.environ['PATH']}"}),
        "link": ([link], folder, None),
        "link to a link": ([chain], folder, None),
        "linked folder": ([build / BINARY.name], folder, None),
        "link on the path": (["rt"], folder, {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}),
        "shell": (["bash", "-c", 'exec -a anything "$0" "$@"', BINARY], folder, None),
    }


def test_however_it_is_called(plan, tmp_path):
    words, answer = plan
    for name, (command, folder, environment) in ways(tmp_path).items():
        assert called(*command, *words, cwd=folder, env=environment) == answer, name


def test_exit_codes_and_errors_are_the_other_programs(tmp_path):
    for words, code in ((["plan", "steps=many"], 1), (["plan", "--nosuch"], 2), (["datasets", "make", "nosuch"], 2)):
        answer = called(BINARY, *words, cwd=tmp_path)
        assert answer[0] == code and answer == called(NETWORKS, *words, cwd=tmp_path)


def test_it_stays_one_process(tmp_path):
    command = [BINARY, "datasets", "make", "scenes", "--count", "1000000", "--output", tmp_path / "scenes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "scenes").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        own = Path(f"/proc/{process.pid}")
        assert (own / "exe").readlink() == NETWORKS.resolve()
        assert (own / "cmdline").read_bytes().split(b"\0")[:2] == [os.fsencode(BINARY), b"datasets"]
        assert (own / f"task/{process.pid}/children").read_text() == ""
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()


def test_alone_it_helps_and_says_what_is_missing(tmp_path):
    alone = tmp_path / "roundtrip"
    shutil.copy(BINARY, alone)
    assert called(alone, "--help") == called(BINARY, "--help")
    code, text, errors = called(alone, "steps=3")
    assert (code, text) == (1, "")
    assert errors == (f"{tmp_path}/roundtrip-networks: cannot be started (No such file or directory); "
                      "expected it to lie beside roundtrip, as the build puts it\n")  # fmt: skip
