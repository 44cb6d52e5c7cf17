"""Download of data sets from their official places, with checksum and resume; for machines with internet."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simnet.core.errors import UnknownName
from simnet.data.base import DataError

CHUNK_BYTES = 1 << 16
TIMEOUT_S = 30.0
USER_AGENT = {"User-Agent": "simnet"}


@dataclass(frozen=True)
class RemoteFile:
    """One file to download.

    Args:
        name: file name at the destination.
        urls: mirrors, tried in this order.
        n_bytes: exact size; a server that sends more is cut off.
        sha256: hex digest of the whole file.
        members: for a tar archive, member -> exact size of those taken out; the archive is then deleted.
    """

    name: str
    urls: tuple[str, ...]
    n_bytes: int
    sha256: str
    members: Mapping[str, int] | None = None


def _mnist(name: str, n_bytes: int, sha256: str) -> RemoteFile:
    mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    )
    return RemoteFile(name, tuple(f"{mirror}/{name}" for mirror in mirrors), n_bytes, sha256)


REMOTE: dict[str, tuple[RemoteFile, ...]] = {
    "mnist": (
        _mnist(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        _mnist(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        _mnist(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        _mnist(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    "cifar10": (
        RemoteFile(
            "cifar-10-binary.tar.gz",
            (
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
            ),
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            members={
                f"cifar-10-batches-bin/{name}.bin": 10_000 * 3073
                for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
            },
        ),
    ),
}
"""What can be fetched: name of the data set -> its files."""


_CAMVID = (
    "CamVid is free for research, from its authors (mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid); put it into "
    "<root>/camvid as 'simnet.data.camvid' says. Its sample is shipped"
)
BY_HAND = {
    "fashion_mnist": "put the files of github.com/zalandoresearch/fashion-mnist into <root>/fashion_mnist",
    "camvid": _CAMVID,
    "camvid_small": _CAMVID,
    "cityscapes": "it needs an account and its licence (cityscapes-dataset.com); put leftImg8bit and gtFine into "
    "<root>/cityscapes",
    "streets": "it is drawn, not downloaded, and needs no files",
}
"""Data sets that have no open source, or need none: what to do."""


def fetch(
    name: str,
    dest: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    remote: Mapping[str, tuple[RemoteFile, ...]] = REMOTE,
) -> Path:
    """Download a data set into ``dest/<name>``; what ``simnet data fetch`` calls.

    Files already there and whole are kept. An interrupted download leaves ``<file>.part`` and goes on from
    there the next time. A file appears under its own name only after its checksum was right.

    Args:
        name: ``mnist`` or ``cifar10``.
        dest: the data root, as $SIMNET_DATA.
        progress: called with (file, bytes so far, bytes in all).
        remote: what can be fetched, and from where.

    Returns:
        ``dest/<name>``.

    Raises:
        UnknownName: no known source for this name.
        DataError: the set can't be downloaded; or every mirror failed, and the message says how each did.
    """
    if name not in remote and name in BY_HAND:
        raise DataError(f"data set {name}: can't be fetched: {BY_HAND[name]}")
    if name not in remote:
        raise UnknownName("data set to fetch", name, remote)
    folder = dest / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in remote[name]:
            if file.members is not None and all(_size(folder / m) == size for m, size in file.members.items()):
                continue
            if _size(folder / file.name) != file.n_bytes or _sha256(folder / file.name) != file.sha256:
                _download(folder, file, progress or (lambda *_: None))
            if file.members is not None:
                _extract(folder, file, file.members)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error})") from error
    return folder


def _download(folder: Path, file: RemoteFile, progress: Callable[[str, int, int], None]) -> None:
    part = folder / f"{file.name}.part"
    failures = []
    for url in file.urls:
        try:
            _receive(url, part, file, progress)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            failures.append(f"{url}: {error}")
            continue
        got = _sha256(part)
        if got == file.sha256:
            os.replace(part, folder / file.name)
            return
        part.unlink()
        failures.append(f"{url}: wrong checksum: got sha256 {got}, expected {file.sha256}")
    raise DataError(
        f"{folder / file.name}: no mirror gave it; " + "; ".join(failures) + "; run the command again to resume"
    )


def _receive(url: str, part: Path, file: RemoteFile, progress: Callable[[str, int, int], None]) -> None:
    """Append to ``part`` what it lacks; start anew if the server can't resume.

    Raises:
        OSError: connection lost, wrong status, or fewer bytes than announced.
    """
    if _size(part) > file.n_bytes:
        part.unlink()
    start = _size(part)
    if start == file.n_bytes:
        return
    request = urllib.request.Request(url, headers=USER_AGENT | ({"Range": f"bytes={start}-"} if start else {}))
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        resumes = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        received = start if resumes else 0
        with open(part, "ab" if resumes else "wb") as out:
            while received < file.n_bytes:
                chunk = response.read(min(CHUNK_BYTES, file.n_bytes - received))
                if not chunk:
                    raise OSError(f"connection ended after {received} of {file.n_bytes} bytes")
                out.write(chunk)
                received += len(chunk)
                progress(file.name, received, file.n_bytes)


def _extract(folder: Path, file: RemoteFile, members: Mapping[str, int]) -> None:
    """Take the named members out of the archive, each of its exact size, then delete the archive."""
    archive = folder / file.name
    try:
        with tarfile.open(archive) as tar:
            for member, size in members.items():
                info = tar.getmember(member)
                source = tar.extractfile(info) if info.isreg() and info.size == size else None
                if source is None:
                    raise DataError(f"{archive}: member {member}: got {info.size} bytes; expected a file of {size}")
                target = folder / member
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f"{target.name}.part")
                with source, open(part, "wb") as out:
                    shutil.copyfileobj(source, out)
                os.replace(part, target)
    except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
        raise DataError(f"{archive}: not the expected archive ({error}); delete it and fetch again") from error
    archive.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
