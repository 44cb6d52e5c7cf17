"""A zoo with small autoencoders of random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from simnet.codecs.entropy.static import fit_table
from simnet.codecs.networks.aesc import AescShape, Autoencoder, pack_autoencoder

SHAPES = {
    "grey": AescShape(architecture="grey28", z=5, code_activation="tanh"),
    "grey_relu": AescShape(architecture="grey28_whole", z=6, code_activation="relu"),
    "colour": AescShape(architecture="colour32", z=3, width=4, code_activation="tanh"),
}


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the zoo, in which ``aesc/<name of SHAPES>`` lie."""
    for name, shape in SHAPES.items():
        folder = tmp_path / "zoo" / "aesc" / name
        folder.mkdir(parents=True)
        (folder / "train.yaml").write_text("kind: autoencoder\n")
        (folder / "weights.safetensors").write_bytes(random_weights(shape))
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path / "zoo"))
    return tmp_path / "zoo"


def random_weights(shape: AescShape) -> bytes:
    """A ``weights.safetensors`` with weights and table from a fixed seed."""
    rng = np.random.default_rng(5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        autoencoder = Autoencoder(shape)
    return pack_autoencoder(autoencoder, fit_table(rng.integers(0, 1000, (shape.z, 16))))
