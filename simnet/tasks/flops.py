"""What one inference costs: floating-point operations, for compute time and energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


def flop_per_image(network: nn.Module, shape: Sequence[int]) -> int:
    """FLOPs of one input's forward pass, in evaluation mode; see :func:`flop_of`.

    Args:
        shape: of the input without the batch axis, such as (C, H, W).
    """
    modes = [(module, module.training) for module in network.modules()]  # a part's may differ from the whole's
    inputs = torch.zeros(1, *shape, device=next(network.parameters()).device)
    network.eval()
    flop = flop_of(lambda: network(inputs))
    for module, training in modes:
        module.training = training
    return flop


def flop_of(call: Callable[[], Any]) -> int:
    """FLOPs of whatever networks this calls; a multiply-add counts as 2.

    Convolutions and matrix products are counted, as is usual; normalisation, activations and pooling are not (they are
    fused on devices, and below 3 % here).
    """
    count = _Count()
    with count, torch.no_grad():
        call()
    return count.flop


class _Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what torch's own formulas say of each operator.

    So does ``torch.utils.flop_counter.FlopCounterMode``, which loads torch's compiler first: a second or two of every
    run.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flop = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: nothing is compiled here, so that there is nothing to load the compiler for."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.flop += int(formula(*args, **kwargs, out_val=out))
        return out
