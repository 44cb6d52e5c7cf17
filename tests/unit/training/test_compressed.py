"""Training for a variant: what is trained is what slices carry, and the zeros stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from simnet.training.compressed import Compressed, compress, settle
from simnet.wire.slices import make_slice


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.ConvTranspose2d(6, 3, 3))


@pytest.mark.parametrize(
    "how",
    [Compressed(precision="int2"), Compressed(precision="int4"), Compressed(precision="int8", sparsity=0.7)],
    ids=str,
)
def test_slices_carry_the_trained_weights_as_they_are(how: Compressed) -> None:
    module = network()
    before = [p.detach().clone() for p in module.parameters()]
    compress(module, how)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    images = torch.rand(4, 3, 8, 8)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (module(images) - images).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]  # gradients pass by the rounding
    said = module(images)
    settle(module)
    assert torch.equal(module(images), said)
    tensors = {k: v.numpy(force=True) for k, v in module.state_dict().items()}
    slice_ = make_slice(
        "x", "decoder", tensors, precision=how.precision, sparsity=how.sparsity, channel_axis={"2.weight": 1}
    )
    for name, sent in tensors.items():
        assert np.allclose(slice_.tensors[name], sent, rtol=2e-3, atol=1e-6), name  # peaks travel as float16
        if name.endswith("weight"):
            assert (sent == 0).mean() >= how.sparsity - 0.01
    assert not torch.equal(before[0], next(iter(module.parameters())))
