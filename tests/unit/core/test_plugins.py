"""Plug-ins that can't be read are said with their line, whoever asks for which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simnet.core.errors import SimnetError
from simnet.core.plugins import PluginKind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"class Rush(Traffic):\n    for c inn ():\n", r"rush\.py:2: not a plug-in's Python: .*; mend the file"),
        (b"# \xff\n", r"rush\.py: not a plug-in's Python: invalid start byte; mend the file or take it away"),
    ],
)
def test_a_file_that_is_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, message: str) -> None:
    package = tmp_path / f"plugs_{len(text)}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "base.py").write_text("class Traffic:\n    pass\n")
    (package / "calm.py").write_text('"""Calm."""\n\nfrom base import Traffic\n\n\nclass Calm(Traffic):\n    pass\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    kind = PluginKind("traffic", package.name, "Traffic")
    assert kind.names() == ["calm"]
    (package / "rush.py").write_bytes(text)
    with pytest.raises(SimnetError, match=re.escape(str(package)) + "/" + message):
        PluginKind("traffic", package.name, "Traffic").names()
