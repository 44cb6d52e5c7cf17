"""Half-written folders: those of the dead go, those of the living and of other machines stay."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simnet.core import folders
from simnet.core.folders import partial_folder, remove_abandoned

WRITING = """
import sys, time
from pathlib import Path
from simnet.core.folders import partial_folder
with partial_folder(Path(sys.argv[1]) / "pair-1") as partial:
    (partial / "half.parquet").write_bytes(b"half")
    print(partial, flush=True)
    time.sleep(60)
"""


def writing(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that writes a partial folder, and that folder."""
    process = subprocess.Popen([sys.executable, "-c", WRITING, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_has_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    dead, left = writing(tmp_path)
    dead.kill()
    dead.wait()
    living, written = writing(tmp_path)
    try:
        assert left != written and (left / "half.parquet").exists()
        remove_abandoned(tmp_path)
        assert not left.exists() and (written / "half.parquet").exists()
        assert len(list(tmp_path.iterdir())) == 2, "of the living: the folder, and the file that says whose it is"
    finally:
        living.send_signal(signal.SIGKILL)
        living.wait()
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_machines_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, left = writing(tmp_path)
    dead.kill()
    dead.wait()
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_host", lambda: "elsewhere")
        remove_abandoned(tmp_path)
        assert (left / "half.parquet").exists()
    remove_abandoned(tmp_path)
    assert not left.exists()


def test_what_could_not_be_locked_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_locked", lambda file, *, waits: False)
        with partial_folder(tmp_path / "run") as partial:
            patch.undo()
            remove_abandoned(tmp_path)
            assert partial.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_owner_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / ".mine.partial").mkdir()
    (tmp_path / ".other.partial.owner").touch()
    remove_abandoned(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".mine.partial", ".other.partial.owner"}


def test_the_whole_folder_takes_its_name(tmp_path: Path) -> None:
    with partial_folder(tmp_path / "run") as partial:
        (partial / "a").touch()
        partial.rename(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"] and (tmp_path / "run" / "a").exists()
    with pytest.raises(ZeroDivisionError), partial_folder(tmp_path / "next"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
