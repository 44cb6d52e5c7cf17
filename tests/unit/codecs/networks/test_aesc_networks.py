"""AESC-I's networks: the paper's sizes, and surgery that must not change the function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open

from simnet.codecs.networks.aesc import AescShape, Autoencoder, load_autoencoder, pack_autoencoder
from simnet.codecs.networks.chunks import in_chunks
from simnet.core.errors import SimnetError
from simnet.tasks.flops import flop_per_image

ARCHITECTURES = ("grey28", "grey28_whole", "colour32")


@pytest.mark.parametrize(
    ("architecture", "z", "width", "n_parameters"),
    [
        ("grey28", 196, 32, 17_393),
        ("grey28", 98, 32, 11_121),
        ("grey28", 40, 32, 7_409),
        ("grey28_whole", 40, 32, 7_409 + 7 * 16 * 16 + 7 * 16),
        ("colour32", 32, 32, 609_667),
        ("colour32", 12, 32, 589_187),
        ("colour32", 8, 32, 585_091),
        ("colour32", 8, 8, 38_371),
    ],
)
def test_decoders_have_the_papers_sizes(architecture: str, z: int, width: int, n_parameters: int) -> None:
    shape = AescShape.model_validate({"architecture": architecture, "z": z, "width": width})
    assert sum(p.numel() for p in shape.decoder().parameters()) == n_parameters


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_images_come_back_in_their_shape_and_codes_in_their_range(architecture: str, activation: str) -> None:
    shape = AescShape.model_validate({"architecture": architecture, "z": 3, "width": 4, "code_activation": activation})
    autoencoder = Autoencoder(shape)
    codes = autoencoder.encoder(torch.rand(2, *shape.image_shape)).detach()
    assert codes.shape == (2, *shape.code_shape)
    assert float(codes.min()) >= shape.code_low
    images = autoencoder.decoder(codes)
    assert images.shape == (2, *shape.image_shape)
    assert bool(((images > 0) & (images < 1)).all())


def test_decoder_flop_of_the_mnist_network_by_hand() -> None:
    taps = 9
    macs = 40 * 64 + 4 * 16 * 16 * taps + 36 * 16 * 16 * taps + 169 * 16 * taps  # a transposed layer works per input
    shape = AescShape(architecture="grey28", z=40)
    assert flop_per_image(shape.decoder(), shape.code_shape) == 2 * macs


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_pruning_and_folding_leave_the_function_as_it_was(architecture: str) -> None:
    shape = AescShape.model_validate({"architecture": architecture, "z": 6, "width": 4})
    autoencoder = Autoencoder(shape).requires_grad_(False)
    images = torch.rand(8, *shape.image_shape)
    coding = autoencoder.encoder[-4]
    assert isinstance(coding, torch.nn.Linear | torch.nn.Conv2d) and coding.bias is not None
    coding.bias.data += 0.5
    for dead in (1, 4):
        coding.bias.data[dead] = -100.0
    codes = autoencoder.encoder(images)
    before = autoencoder.decoder(codes)
    largest = codes.abs().amax(dim=(0, 2))
    smaller = autoencoder.prune_dead(largest)
    assert smaller.shape.z == int((largest > 0).sum()) <= 4
    smaller.fold_ranges(largest[largest > 0])
    codes = smaller.encoder(images)
    assert torch.allclose(codes.amax(dim=(0, 2)), torch.ones(smaller.shape.z), atol=1e-3)  # the range may be small
    assert torch.allclose(smaller.decoder(codes), before, atol=1e-5)


@pytest.mark.parametrize(("architecture", "n_reached"), [("grey28", 23), ("grey28_whole", 28), ("colour32", 32)])
def test_how_much_of_the_image_the_decoder_reaches(architecture: str, n_reached: int) -> None:
    shape = AescShape.model_validate({"architecture": architecture, "z": 40, "width": 4, "code_activation": "tanh"})
    torch.manual_seed(1)  # with some fresh weights every ReLU before a pixel is dead
    decoder = shape.decoder().double().requires_grad_(False)
    codes = torch.rand(50, *shape.code_shape, dtype=torch.float64)
    images = decoder(codes)
    moved = (images != images[:1]).any(dim=0).any(dim=0)
    assert bool(moved[:n_reached, :n_reached].all())
    assert not bool(moved[n_reached:].any() or moved[:, n_reached:].any())


def test_nothing_dead_nothing_pruned() -> None:
    autoencoder = Autoencoder(AescShape(architecture="grey28", z=2))
    assert autoencoder.prune_dead(torch.ones(2)) is autoencoder


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_larger_code_starts_as_the_smaller_ones_function(architecture: str) -> None:
    shape = AescShape.model_validate({"architecture": architecture, "z": 3, "width": 4, "code_activation": "tanh"})
    small, large = Autoencoder(shape), Autoencoder(shape.model_copy(update={"z": 7}))
    large.start_as(small)
    images = torch.rand(4, *shape.image_shape)
    assert torch.allclose(large.encoder(images)[:, :3], small.encoder(images), atol=1e-6)
    assert torch.allclose(large.decoder(large.encoder(images)), small.decoder(small.encoder(images)), atol=1e-6)
    with pytest.raises(SimnetError, match="only z may differ"):
        small.start_as(large)
    with pytest.raises(SimnetError, match="cannot start from"):
        large.start_as(Autoencoder(shape.model_copy(update={"code_activation": "relu"})))


def test_weights_file_brings_everything_back(tmp_path: Path) -> None:
    autoencoder = Autoencoder(AescShape(architecture="grey28", z=2, code_activation="tanh"))
    table = np.full((2, 16), 16, np.uint8)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pack_autoencoder(autoencoder, table))
    with safe_open(path, framework="pt") as file:
        assert list(file.metadata()) == ["shape"]  # two keys would come in random order
    state = torch.random.get_rng_state()
    again, table_again = load_autoencoder(path)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert again.shape == autoencoder.shape
    assert (table_again == table).all()
    for name, tensor in autoencoder.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


@pytest.mark.parametrize("content", [b"", b"x" * 100, None])
def test_unusable_weights_are_said_clearly(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SimnetError, match="not the weights of an AESC-I codec"):
        load_autoencoder(path)


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    whole = pack_autoencoder(Autoencoder(AescShape(architecture="grey28", z=2)), np.full((2, 16), 16, np.uint8))
    (tmp_path / "weights.safetensors").write_bytes(whole[:-100])
    with pytest.raises(SimnetError, match="train it anew"):
        load_autoencoder(tmp_path / "weights.safetensors")


def test_impossible_shapes_are_refused() -> None:
    for wrong in ({"z": 0}, {"z": 8, "width": 6}, {"z": 8, "width": 64}, {"z": 8, "depth": 2}):
        with pytest.raises(ValidationError):
            AescShape.model_validate({"architecture": "colour32", **wrong})


@pytest.mark.parametrize("n", [1, 63, 64, 65, 130])
def test_chunks_have_one_shape_whatever_the_batch(n: int) -> None:
    shapes = []

    def network(x: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(x.shape))
        return x.flatten(1).sum(dim=1)

    inputs = torch.arange(n * 6, dtype=torch.float32).view(n, 2, 3)
    assert torch.equal(in_chunks(network, inputs), inputs.flatten(1).sum(dim=1))
    assert set(shapes) == {(64, 2, 3)}
