"""Standard output whose encoding lacks characters: people can read it, programs get it unaltered or not at all."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

SAYS = "from simnet.cli import characters as c; c.prepare_stdout(); "
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def simnet(*arguments: str, **environment: str) -> tuple[int, bytes, str]:
    """Exit code, what the pipe got, standard error."""
    return started([sys.executable, "-m", "simnet", *arguments], environment)


def started(command: list[str], environment: dict[str, str]) -> tuple[int, bytes, str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONIOENCODING", "PYTHONUTF8")}
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=env | environment)
    return done.returncode, done.stdout, done.stderr.decode("ascii")


def test_a_schema_is_utf_8_or_nothing() -> None:
    code, out, error = simnet("schema", **C_LOCALE)
    text = out.decode("utf-8")
    assert (code, error) == (0, "") and json.loads(text)["title"] == "Scenario" and not text.isascii()
    code, out, error = simnet("schema", PYTHONIOENCODING="ascii")
    assert (code, out) == (2, b"")
    assert error.startswith("simnet: standard output: its encoding is ascii, which has no '\\u")
    assert error.endswith("; nothing was printed. Unset PYTHONIOENCODING, or set it to utf-8\n")


def test_a_text_for_people_degrades_in_a_pipe_of_an_encoding_that_was_asked_for() -> None:
    asked = {"PYTHONIOENCODING": "ascii"}
    assert started([sys.executable, "-c", SAYS + "print('−3 ± 1')"], asked) == (0, b"-3 ? 1\n", "")


@pytest.mark.parametrize(
    ("encoding", "wanted"), [("", b"caf\xe9-\xce\xbb"), ("ascii:backslashreplace", b"caf\\udce9-\\u03bb")]
)
def test_a_path_comes_through_a_pipe_as_it_is_unless_the_user_chose_otherwise(encoding: str, wanted: bytes) -> None:
    path = os.fsdecode(b"caf\xe9-\xce\xbb")  # \xe9 is no UTF-8
    command = [sys.executable, "-c", SAYS + f"c.print_exactly({path!r})"]
    assert started(command, {"PYTHONIOENCODING": encoding}) == (0, wanted + b"\n", "")


@pytest.mark.parametrize("said", ["print", "c.print_exactly"])
def test_a_terminal_shows_the_nearest_character_or_a_question_mark(said: str) -> None:
    command = SAYS + f"{said}('−3 ± 1 … “ß”')"
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", command], stdout=theirs, timeout=60, check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    os.close(theirs)
    assert os.read(ours, 1000) == b'-3 ? 1 . "?"\r\n'
    os.close(ours)
