"""Networks as the slices that travel, and the receiver's networks with the weights that came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from simnet.codecs.base import CodecError
from simnet.tasks.networks.weights import inference_tensors, take_over
from simnet.wire.slices import Precision, Role, Slice, make_slice

SENDER_PRECISION: Precision = "float16"
"""Of slices that stay with the sender."""


def slice_of(name: str, network: nn.Module, role: Role, precision: Precision = SENDER_PRECISION) -> Slice:
    """A network's inference weights as one slice."""
    return make_slice(name, role, inference_tensors(network), precision=precision)


def transposed_axes(network: nn.Module) -> dict[str, int]:
    """The axis of output channels of each weight where it isn't the first: key -> 1."""
    kernels = (name for name, m in network.named_modules() if isinstance(m, nn.ConvTranspose2d))
    return {f"{name}.weight".lstrip("."): 1 for name in kernels}


def take_over_all(codec: str, parts: Mapping[str, nn.Module], slices: Sequence[Slice]) -> None:
    """Put received weights into a receiver's networks.

    Args:
        codec: its name, for the error.
        parts: slice name -> network.

    Raises:
        CodecError: the slices are not exactly those of these names, or their tensors are another model's.
    """
    got = {s.name: s for s in slices}
    if sorted(s.name for s in slices) != sorted(parts):
        raise CodecError(
            f"codec {codec}: decoder slices: got {', '.join(got) or 'none'}; allowed exactly {', '.join(parts)}"
        )
    for name, network in parts.items():
        try:
            take_over(network, got[name].tensors)
        except RuntimeError as error:
            raise CodecError(
                f"codec {codec}: slice {name}: its tensors aren't this model's (another version?)"
            ) from error
