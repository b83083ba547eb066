"""scripts/get_metric against a server of this machine: what it installs, and what it refuses."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import perceptual_networks as networks
import pytest
import torch
from clip_similarity_test import save_clip

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Files by path. `hub` gives the digest that the answer names; `cut` ends a transfer early; `asked` lists the requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.digests, self.cut, self.asked = {}, {}, set(), []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.startswith("/hub/"):  # as the hub does with large files: a digest, and the way to the storage
            self.send_response(302)
            self.send_header("X-Linked-Etag", f'"{self.server.digests[self.path]}"')
            self.send_header("Location", self.path.replace("/hub/", "/storage/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        if self.path in self.server.digests:
            self.send_header("ETag", f'W/"{self.server.digests[self.path]}"')
        elif self.path.startswith("/storage/"):
            self.send_header("ETag", '"0123456789abcdef0123456789abcdef"')  # storage servers name other things
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if self.path in self.server.cut else data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    running = Server()
    yield running
    running.shutdown()
    running.server_close()


def weights_as_bytes(weights, path):
    torch.save(weights, path)
    return path.read_bytes()


def lpips_sources(server, tmp_path, **changes):
    """Sources of lpips-squeeze with random weights, served by the server."""
    trunk = weights_as_bytes(networks.trunk_weights("squeeze"), tmp_path / "squeezenet.pth")
    heads = weights_as_bytes(networks.head_weights("squeeze"), tmp_path / "heads.pth")
    server.files |= {"/squeezenet.pth": trunk, "/heads.pth": heads}
    files = {
        "trunk": [{"name": "squeezenet.pth", "sha256": sha256(trunk), "url": f"{server.url}/squeezenet.pth"}],
        "heads": [{"name": "heads.pth", "sha256": sha256(heads), "url": f"{server.url}/heads.pth"} | changes],
    }
    source = {"title": "LPIPS", "export": "lpips", "megabytes": 3, "licence": "ours", "origin": "here", "files": files,
              "options": {"net": "squeeze"}, "card": {"net": "squeeze"}}  # fmt: skip
    (tmp_path / "sources.json").write_text(json.dumps({"lpips-squeeze": source}))


def get(tmp_path, *words, name="lpips-squeeze", **variables):
    environment = {key: value for key, value in os.environ.items() if key not in ("ROUNDTRIP_METRICS", "XDG_DATA_HOME")}
    environment |= {"ROUNDTRIP_METRICS": str(tmp_path / "home")} | variables
    command = [sys.executable, ROOT / "scripts/get_metric", name, "--sources", tmp_path / "sources.json", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def refused(done, *says):
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("scripts/get_metric: ")
    for text in says:
        assert text in done.stderr


def card(module):
    with zipfile.ZipFile(module) as archive:
        return json.loads(archive.read(next(name for name in archive.namelist() if "/extra/" in name)))


def test_installs_a_module_that_a_run_finds(server, tmp_path):
    lpips_sources(server, tmp_path)
    words = ["model.path=tests/golden/models/tiny-sd", "dataset.path=tests/golden/gate", "dataset.limit=1", "steps=1",
             "metrics=[lpips]", "engine.max_batch=2"]  # fmt: skip
    environment = os.environ | {"ROUNDTRIP_METRICS": str(tmp_path / "home")}

    def run(out):
        command = [BINARY, *words, f"hydra.run.dir={tmp_path / out}"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)

    before = run("before")
    assert "get it by: scripts/get_metric lpips-squeeze" in before.stderr, before.stderr
    done = get(tmp_path)
    assert done.returncode == 0, done.stderr
    module = tmp_path / "home/lpips-squeeze.pt"
    assert card(module)["trunk_sha256"] == sha256(server.files["/squeezenet.pth"])
    after = run("after")
    assert after.returncode == 0 and "lpips" not in after.stderr, after.stderr
    for table, has_score in ((before.stdout, False), (after.stdout, True)):
        row = next(line.split() for line in table.splitlines() if line.startswith("ddim"))
        assert (row[2] != "-") == has_score, table
    assert list((tmp_path / "home").iterdir()) == [module]


def test_a_module_that_is_there_is_left_alone(server, tmp_path):
    lpips_sources(server, tmp_path)
    assert get(tmp_path).returncode == 0
    asked, written = len(server.asked), (tmp_path / "home/lpips-squeeze.pt").stat().st_mtime_ns
    done = get(tmp_path)
    assert done.returncode == 0 and "is there already" in done.stdout, done.stderr
    assert len(server.asked) == asked and (tmp_path / "home/lpips-squeeze.pt").stat().st_mtime_ns == written
    assert get(tmp_path, "--again").returncode == 0 and len(server.asked) == asked + 2


def test_a_module_cut_short_is_replaced_and_another_is_not(server, tmp_path):
    lpips_sources(server, tmp_path)
    assert get(tmp_path).returncode == 0
    module = tmp_path / "home/lpips-squeeze.pt"
    whole = module.stat().st_size
    module.write_bytes(module.read_bytes()[: whole // 2])
    assert get(tmp_path).returncode == 0 and module.stat().st_size == whole
    server.files.clear()
    lpips_sources(server, tmp_path)
    sources = json.loads((tmp_path / "sources.json").read_text())
    sources["lpips-squeeze"]["files"]["heads"][0]["sha256"] = "0" * 64
    (tmp_path / "sources.json").write_text(json.dumps(sources))
    refused(get(tmp_path), "holds another module, with heads_sha256", "(--again replaces it)")


def test_a_wrong_digest_installs_nothing(server, tmp_path):
    lpips_sources(server, tmp_path)
    wrong = server.files["/heads.pth"][:-1] + b"x"
    server.files["/heads.pth"] = wrong
    refused(get(tmp_path), f"{server.url}/heads.pth: has the digest {sha256(wrong)}; expected ")
    assert not (tmp_path / "home").exists()


def test_a_missing_file_and_a_missing_server_are_named(server, tmp_path):
    lpips_sources(server, tmp_path, url=f"{server.url}/gone.pth")
    refused(get(tmp_path), "/gone.pth: the server answers 404")
    lpips_sources(server, tmp_path, url="http://127.0.0.1:1/heads.pth")
    refused(get(tmp_path), "http://127.0.0.1:1/heads.pth: cannot be fetched", "use --from")
    assert not (tmp_path / "home").exists()


def test_an_interrupted_transfer_is_told_and_can_be_repeated(server, tmp_path):
    lpips_sources(server, tmp_path)
    server.cut.add("/squeezenet.pth")
    size = len(server.files["/squeezenet.pth"])
    refused(get(tmp_path), f"the transfer ended after {size // 2} of {size} bytes; run it again")
    assert not (tmp_path / "home").exists()
    server.cut.clear()
    assert get(tmp_path).returncode == 0


def test_files_by_hand_are_recognised_by_their_digests(server, tmp_path):
    lpips_sources(server, tmp_path)
    (tmp_path / "heads.pth").rename(tmp_path / "some name.pth")
    refused(get(tmp_path, "--from", tmp_path / "some name.pth"), "--from: lacks squeezenet.pth (SHA-256 ")
    refused(get(tmp_path, "--from", tmp_path / "nowhere.pth"), "nowhere.pth: no such file")
    (tmp_path / "other.pth").write_bytes(b"other")
    refused(get(tmp_path, "--from", tmp_path / "other.pth"), f"has the digest {sha256(b'other')}; expected one of squeezenet.pth")
    both = ["--from", tmp_path / "some name.pth", "--from", tmp_path / "squeezenet.pth"]
    done = get(tmp_path, *both, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/lpips-squeeze.pt").exists() and not (tmp_path / "home").exists() and server.asked == []


def test_the_home_follows_the_environment(server, tmp_path):
    lpips_sources(server, tmp_path)
    words = ["--from", tmp_path]  # a folder: the files in it
    assert get(tmp_path, *words, ROUNDTRIP_METRICS="", XDG_DATA_HOME=str(tmp_path / "data")).returncode == 0
    assert (tmp_path / "data/roundtrip/metrics/lpips-squeeze.pt").exists()
    assert get(tmp_path, *words, ROUNDTRIP_METRICS="", XDG_DATA_HOME="data", HOME=str(tmp_path / "me")).returncode == 0
    assert (tmp_path / "me/.local/share/roundtrip/metrics/lpips-squeeze.pt").exists()


def clip_sources(server, tmp_path):
    """A small CLIP on a hub that names digests: of a large file by SHA-256, of small ones by git."""
    save_clip(tmp_path / "clip")
    names = ["config.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.json", "model.safetensors"]
    for name in names:
        path = tmp_path / "clip" / name
        if not path.exists():
            continue
        data = path.read_bytes()
        if name == "model.safetensors":
            server.digests[f"/hub/{name}"] = sha256(data)
            server.files[f"/storage/{name}"] = data
        else:
            server.digests[f"/{name}"] = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
            server.files[f"/{name}"] = data
    files = [{"name": name, "url": f"{server.url}{'/hub' if name == 'model.safetensors' else ''}/{name}",
              "optional": name == "special_tokens_map.json"} for name in names]  # fmt: skip
    source = {"title": "CLIP", "export": "clip", "megabytes": 1, "licence": "ours", "origin": "here",
              "files": {"folder": files}, "options": {"name": "tiny"}, "card": {"network": "tiny"}}  # fmt: skip
    (tmp_path / "sources.json").write_text(json.dumps({"clip-tiny": source}))


def test_the_hub_names_the_digests_of_a_folder(server, tmp_path):
    clip_sources(server, tmp_path)
    done = get(tmp_path, name="clip-tiny")
    assert done.returncode == 0, done.stderr
    assert card(tmp_path / "home/clip-tiny.pt")["weights_sha256"] == server.digests["/hub/model.safetensors"]
    assert (tmp_path / "home/clip-tiny.tokenizer/tokenizer.json").exists()
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["clip-tiny.pt", "clip-tiny.tokenizer"]
    assert "is there already" in get(tmp_path, name="clip-tiny").stdout


@pytest.mark.parametrize("change, says", [
    (lambda server: server.files.update({"/storage/model.safetensors": b"other"}), "model.safetensors: has the digest"),
    (lambda server: server.files.update({"/config.json": b"{}"}), "config.json: has the digest"),
    (lambda server: server.digests.pop("/config.json"), "config.json: the answer names no digest, and none is known"),
])  # fmt: skip
def test_what_the_hub_does_not_vouch_for_is_refused(server, tmp_path, change, says):
    clip_sources(server, tmp_path)
    change(server)
    refused(get(tmp_path, name="clip-tiny"), says)
    assert not (tmp_path / "home").exists()


def test_files_without_a_known_digest_are_refused(server, tmp_path):
    clip_sources(server, tmp_path)
    refused(get(tmp_path, "--from", tmp_path / "clip", name="clip-tiny"), "no digest is known of config.json",
            "scripts/export_clip.py")  # fmt: skip


def test_a_package_that_pip_downloads_is_checked(server, tmp_path):
    """With the folder of a package index of our own, so that the test needs no network."""
    lpips_sources(server, tmp_path, package="stand-in==1.0", member="stand_in/heads.pth", url=None)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "stand_in-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("stand_in/heads.pth", server.files["/heads.pth"])
        wheel.writestr("stand_in-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: stand-in\nVersion: 1.0\n")
        wheel.writestr("stand_in-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("stand_in-1.0.dist-info/RECORD", "")
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    done = get(tmp_path, **index)
    assert done.returncode == 0, done.stderr
    lpips_sources(server, tmp_path, package="stand-in==2.0", member="stand_in/heads.pth", url=None)
    refused(get(tmp_path, "--again", **index), "stand-in==2.0: pip cannot download it")
    lpips_sources(server, tmp_path, package="stand-in==1.0", member="stand_in/gone.pth", url=None)
    refused(get(tmp_path, "--again", **index), "stand-in==1.0: stand_in/gone.pth: is not in stand_in-1.0")


def test_the_list_names_every_file_and_licence():
    done = subprocess.run([sys.executable, ROOT / "scripts/get_metric", "--list"], capture_output=True, text=True)
    assert done.returncode == 0
    for name in ("lpips-squeeze", "lpips-alex", "lpips-vgg", "dists", "structure-distance", "clip-vit-l-14"):
        assert f"\n{name} " in "\n" + done.stdout
    assert done.stdout.count("licence: ") == 8 and "squeezenet1_1-b8a52dc0.pth" in done.stdout


def test_an_unknown_name_has_a_suggestion():
    done = subprocess.run([sys.executable, ROOT / "scripts/get_metric", "lpips-sqeeze"], capture_output=True, text=True)
    refused(done, "there is no module 'lpips-sqeeze'; expected one of", "Did you mean 'lpips-squeeze'?")


# torchvision's file names hold the first eight digits of the digest.
def test_published_digests_begin_as_their_files_are_named():
    sys.path.insert(0, str(ROOT / "scripts"))
    from metric_sources import SOURCES

    trunks = {file.name: file.sha256 for source in SOURCES.values() for file in source.files.get("trunk", [])}
    assert len(trunks) == 3
    for name, digest in trunks.items():
        assert len(digest) == 64 and digest.startswith(name.removesuffix(".pth").rpartition("-")[2])
