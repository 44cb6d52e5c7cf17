"""Downloads against a local server: whole, interrupted, resumed, spoilt."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from simnet.core.errors import UnknownName
from simnet.core.plugins import KINDS
from simnet.data.base import DataError
from simnet.data.fetch import BY_HAND, REMOTE, RemoteFile, fetch

BODY = bytes(range(256)) * 1000


@dataclass
class Server:
    """What the local server serves and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.requests.append((self.path, wanted))
            if self.path not in state.files:
                self.send_error(404)
                return
            body = state.files[self.path]
            start = 0
            if wanted and state.ranges:
                found = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert found
                start = int(found[1])
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start : state.cut_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


def remote(server: Server, *paths: str, body: bytes = BODY, **changes: object) -> dict[str, tuple[RemoteFile, ...]]:
    urls = tuple(server.url + p for p in paths)
    file = RemoteFile("set.bin", urls, len(body), hashlib.sha256(body).hexdigest(), **changes)  # type: ignore[arg-type]
    return {"toy": (file,)}


def test_whole_download_then_nothing_more_is_asked(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = BODY
    seen: list[int] = []
    folder = fetch("toy", tmp_path, remote=remote(server, "/a"), progress=lambda _, done, __: seen.append(done))
    assert (folder / "set.bin").read_bytes() == BODY
    assert seen[-1] == len(BODY)
    fetch("toy", tmp_path, remote=remote(server, "/a"))
    assert len(server.requests) == 1
    assert [p.name for p in folder.iterdir()] == ["set.bin"]


def test_interrupted_download_resumes_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = BODY
    server.cut_after = 100_000
    with pytest.raises(DataError, match=r"connection ended after 100000 of 256000|IncompleteRead"):
        fetch("toy", tmp_path, remote=remote(server, "/a"))
    part = tmp_path / "toy" / "set.bin.part"
    kept = part.stat().st_size
    assert 0 < kept <= 100_000
    assert not (tmp_path / "toy" / "set.bin").exists()
    server.cut_after = None
    assert (fetch("toy", tmp_path, remote=remote(server, "/a")) / "set.bin").read_bytes() == BODY
    assert server.requests[-1] == ("/a", f"bytes={kept}-")
    assert not part.exists()


def test_server_without_ranges_starts_anew(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = BODY
    server.ranges = False
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "set.bin.part").write_bytes(b"stale")
    assert (fetch("toy", tmp_path, remote=remote(server, "/a")) / "set.bin").read_bytes() == BODY


def test_wrong_checksum_is_refused_and_the_next_mirror_tried(server: Server, tmp_path: Path) -> None:
    server.files |= {"/bad": b"x" * len(BODY), "/good": BODY}
    with pytest.raises(DataError, match=r"/bad: wrong checksum: got sha256 [0-9a-f]{64}, expected"):
        fetch("toy", tmp_path, remote=remote(server, "/bad"))
    assert list((tmp_path / "toy").iterdir()) == []
    assert (fetch("toy", tmp_path, remote=remote(server, "/bad", "/good")) / "set.bin").read_bytes() == BODY


def test_damaged_file_under_its_own_name_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = BODY
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "set.bin").write_bytes(b"y" * len(BODY))
    assert (fetch("toy", tmp_path, remote=remote(server, "/a")) / "set.bin").read_bytes() == BODY


def test_every_mirror_is_named_when_all_fail(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/one: HTTP Error 404.*/two: HTTP Error 404.*run the command again"):
        fetch("toy", tmp_path, remote=remote(server, "/one", "/two"))


def test_longer_body_than_announced_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = BODY + b"more"
    assert (fetch("toy", tmp_path, remote=remote(server, "/a")) / "set.bin").read_bytes() == BODY


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def test_only_the_named_members_of_an_archive_are_taken_out(server: Server, tmp_path: Path) -> None:
    body = archive(**{"in/a.bin": b"abc", "../evil": b"evil", "in/other": b"other"})
    server.files["/a"] = body
    sources = remote(server, "/a", body=body, members={"in/a.bin": 3})
    folder = fetch("toy", tmp_path, remote=sources)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == ["toy/in/a.bin"]
    assert (folder / "in" / "a.bin").read_bytes() == b"abc"
    fetch("toy", tmp_path, remote=sources)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (archive(**{"in/a.bin": b"ab"}), "member in/a.bin: got 2 bytes; expected a file of 3"),
        (archive(**{"in/b.bin": b"abc"}), "not the expected archive"),
        (b"no tar", "not the expected archive"),
    ],
)
def test_unexpected_archives(server: Server, tmp_path: Path, body: bytes, message: str) -> None:
    server.files["/a"] = body
    with pytest.raises(DataError, match=message):
        fetch("toy", tmp_path, remote=remote(server, "/a", body=body, members={"in/a.bin": 3}))


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(UnknownName, match="Allowed: cifar10, mnist"):
        fetch("imagenet", Path("unused"))


def test_official_sources_are_https_with_full_digests() -> None:
    files = [file for group in REMOTE.values() for file in group]
    assert len(files) == 5
    for file in files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert len(file.urls) >= 2
        assert all(url.startswith("https://") for url in file.urls)


@pytest.mark.parametrize(
    ("name", "said"), [("cityscapes", "licence"), ("camvid", "free for research"), ("streets", "drawn")]
)
def test_what_has_no_open_source_says_what_to_do(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        fetch(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_data_set_can_be_fetched_or_says_why_not() -> None:
    assert set(KINDS["data"].names()) - set(REMOTE) - set(BY_HAND) == set()
