"""Pushing to and loading from a Hub: huggingface_hub's own client against a server on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

import sae_training
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder
from sae_training.publish import model_card

COMMIT = "c0ffee" + "0" * 34


class FakeHub(BaseHTTPRequestHandler):
    """One repository after another, in memory: what the client needs to make, fill, list and read them."""

    repositories: dict[str, dict[str, bytes]]
    told: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append(self.path)
        if self.path == "/api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted['organization']}/{wanted['name']}" if wanted.get("organization") else wanted["name"]
            self.told.append("private" if wanted.get("private") or wanted.get("visibility") == "private" else "public")
            self.repositories.setdefault(name, {})
            return self.answer({"url": f"http://{self.headers['Host']}/{name}", "id": name})
        name = "/".join(self.path.split("/")[3:5])
        if "/preupload/" in self.path:
            files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
            return self.answer({"files": [{**file, "shouldIgnore": False} for file in files]})
        if "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.repositories[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"http://{self.headers['Host']}/{name}/commit/{COMMIT}"
            return self.answer({"success": True, "commitOid": COMMIT, "commitUrl": url, "hookOutput": ""})
        return self.answer({})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        name = "/".join(path.split("/")[3:5]) if path.startswith("/api/") else "/".join(path.split("/")[1:3])
        if name not in self.repositories:
            return self.answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        files = self.repositories[name]
        if "/tree/" in path:
            return self.answer(
                [{"type": "file", "path": p, "size": len(c), "oid": digest(c)} for p, c in files.items()]
            )
        if path.startswith("/api/"):
            return self.answer({"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]})
        content = files["/".join(path.split("/")[5:])]
        self.send(content, 200, {"ETag": f'"{digest(content)}"', "X-Repo-Commit": COMMIT})

    def answer(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(json.dumps(content).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub() -> Iterator[ThreadingHTTPServer]:
    FakeHub.repositories, FakeHub.told = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def model() -> SparseAutoencoder:
    description = {"description": "rows | of a test"}
    sae = SparseAutoencoder(4, 8, SaeMetadata("batch_topk", 2, "enc@1", description, {}, {"fvu": 0.25}))
    sae.W_enc.data.normal_(generator=torch.Generator().manual_seed(0))
    sae.threshold.fill_(1.0)
    return sae.eval().requires_grad_(False)


def run(code: str, port: int, home: Path) -> list[str]:
    """What statements print in a process of its own: the client reads its endpoint once, when it is imported.

    An SaeError is printed instead of what its line would have printed.
    """
    told = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(home), "HF_TOKEN": "hf_of_a_test"}
    plain = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    environment = {**plain, **told, "PYTHONPATH": str(Path(sae_training.__file__).parents[1])}
    tried = [f"try:\n {line}\nexcept sae_training.SaeError as error:\n print(error)" for line in code.splitlines()]
    script = "\n".join(["import sae_training", *tried])
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_model_goes_up_with_a_readme_and_comes_down_the_same(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    model().save(tmp_path / "sae")
    FakeHub.repositories["me/mine"] = {"other/huge.bin": b"not wanted"}
    code = f"print(sae_training.push({str(tmp_path / 'sae')!r}, 'me/mine', private=True))\n"
    code += f"sae_training.load('hf-hub:me/mine').save({str(tmp_path / 'again')!r})"
    (address,) = run(code, hub.server_port, tmp_path / "hf")
    files = FakeHub.repositories["me/mine"]
    assert address.endswith("/me/mine") and "private" in FakeHub.told
    assert set(files) == {"README.md", "sae.safetensors", "sae.yaml", "other/huge.bin"}
    assert files["sae.safetensors"] == (tmp_path / "sae" / "sae.safetensors").read_bytes()
    assert (tmp_path / "again" / "sae.yaml").read_bytes() == (tmp_path / "sae" / "sae.yaml").read_bytes()
    assert not list((tmp_path / "hf").rglob("huge.bin"))


def test_another_tools_folder_within_a_repository_is_loaded(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    sae_training.export(model(), tmp_path / "out", "saelens")
    files = {f"layer/5/{file.name}": file.read_bytes() for file in (tmp_path / "out").iterdir()}
    FakeHub.repositories["them/theirs"] = files
    code = "print(sae_training.load('hf-hub:them/theirs/layer/5').metadata.training['description'])"
    (description,) = run(code, hub.server_port, tmp_path / "hf")
    assert description.startswith("saelens")


def test_what_the_hub_does_not_have_is_one_line(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    code = "sae_training.load('hf-hub:me/nothing')\nsae_training.load('hf-hub:no name!/x')"
    unknown, no_name = run(code, hub.server_port, tmp_path / "hf")
    assert unknown.startswith("cannot fetch me/nothing (") and "give a folder" in unknown
    assert no_name.startswith("cannot fetch no name!/x (")


def test_without_a_connection_both_ways_are_one_line(tmp_path: Path) -> None:
    model().save(tmp_path / "sae")
    code = f"sae_training.load('hf-hub:me/mine')\nsae_training.push({str(tmp_path / 'sae')!r}, 'me/mine')"
    down, up = run(code, 1, tmp_path / "hf")
    assert down.startswith("cannot fetch me/mine (") and "connection" in down
    assert up.startswith("cannot push to me/mine (") and "hf auth login" in up


def test_the_readme_says_what_the_model_is_and_how_to_load_it() -> None:
    card = model_card(model(), "me/mine")
    assert 'sae_training.load("hf-hub:me/mine")' in card
    assert "| latents | 8 |" in card and "| encoder | enc@1 |" in card and "| fvu | 0.25 |" in card
    assert "| trained on | rows / of a test |" in card
