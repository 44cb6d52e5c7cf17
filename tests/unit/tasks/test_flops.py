"""FLOPs as torch's own counter has them, without its compiler."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from simnet.tasks.flops import flop_of, flop_per_image
from simnet.tasks.networks import build_network

NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "lenet": (lambda: build_network("lenet"), (1, 28, 28)),
    "small_cnn": (lambda: build_network("small_cnn"), (3, 32, 32)),
    "up": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 8, 4, 2, 1, groups=1), nn.Conv2d(8, 8, 3, groups=4)), (3, 9, 7)),
    "recurrent": (lambda: nn.GRU(8, 6, batch_first=True), (4, 8)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_counts_what_torchs_own_counter_counts(name: str) -> None:
    make, shape = NETWORKS[name]
    network = make()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, *shape))
    assert flop_per_image(network, shape) == counter.get_total_flops() > 0


def test_operators_without_modules_count_too() -> None:
    q = torch.zeros(2, 3, 5, 7)

    def operators() -> None:
        scaled_dot_product_attention(q, q, q)
        torch.einsum("bhij,bhkj->bhik", q, q)
        conv2d(torch.zeros(1, 2, 8, 8), torch.zeros(4, 2, 3, 3))

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        operators()
    assert flop_of(operators) == counter.get_total_flops()
    assert flop_of(operators) >= 2 * (2 * 3 * 5 * 7 * 5) + 2 * 4 * 36 * 2 * 9


def test_flops_by_hand() -> None:
    """LeNet: multiply-adds of each layer = outputs · inputs per output, times 2."""
    conv1, conv2 = 28 * 28 * 16 * 25, 10 * 10 * 32 * 25 * 16
    hidden, head = 800 * 128, 128 * 10
    assert flop_per_image(build_network("lenet"), (1, 28, 28)) == 2 * (conv1 + conv2 + hidden + head)


def test_flop_counting_leaves_the_network_as_it_was() -> None:
    network = build_network("lenet").train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    flop_per_image(network, (1, 28, 28))
    assert network.training
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_each_part_stays_in_the_mode_in_which_it_was() -> None:
    trained = build_network("lenet").eval()
    joined = nn.Sequential(trained, nn.ReLU())  # made in training mode
    assert flop_per_image(joined, (1, 28, 28)) == flop_per_image(trained, (1, 28, 28))
    assert joined.training
    assert not any(part.training for part in trained.modules())
