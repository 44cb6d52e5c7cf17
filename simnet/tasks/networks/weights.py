"""Weights files (safetensors) to networks, and received tensors into networks; never pickle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from simnet.core.errors import SimnetError

Network = TypeVar("Network", bound=nn.Module)


def load_weights(
    weights: Path,
    build: Callable[[Mapping[str, str]], Network],
    what: str,
    *beside: str,
    unpack: Callable[[Mapping[str, str], dict[str, Tensor]], dict[str, Tensor]] = lambda header, tensors: tensors,
) -> tuple[Network, tuple[Tensor, ...]]:
    """The network of a weights file in float32, frozen and in evaluation mode; and tensors that lie beside it.

    Args:
        build: makes the network of the file's metadata; no initial weights are drawn only to be overwritten.
        what: names such files in errors.
        beside: keys of the file that aren't the network's.
        unpack: makes the network's tensors of the file's metadata and tensors.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    with no_damage(weights, what):
        with safe_open(weights, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        others = tuple(tensors.pop(key) for key in beside)
        with torch.device("meta"), _Uninitialised():
            network = build(header)
        state = {k: v.float() if v.is_floating_point() else v for k, v in unpack(header, tensors).items()}
        network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False), others


@contextmanager
def no_damage(weights: Path, what: str) -> Iterator[None]:
    """Whatever goes wrong in here is the weights file's doing.

    Args:
        what: names such files in errors.

    Raises:
        SimnetError: the file is missing, damaged, or not such a file.
    """
    try:
        yield
    except KeyError as error:
        raise SimnetError(
            f"{weights}: not the weights of {what}, but of another kind of model (it has no {error}); name one that is"
        ) from error
    except (OSError, SafetensorError, ValueError, RuntimeError, SimnetError) as error:
        raise SimnetError(
            f"{weights}: not the weights of {what} ({error}); train it anew with 'simnet train'"
        ) from error


class _Uninitialised(TorchFunctionMode):
    """Leaves ``torch.nn.init`` out: what it draws would be overwritten, and normal draws on the meta device load the
    compiler of torch, which takes a second."""

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if getattr(function, "__module__", None) == "torch.nn.init":
            return named["tensor"] if "tensor" in named else args[0]
        return function(*args, **named)


def half_tensors(network: nn.Module) -> dict[str, Tensor]:
    """All of a network's tensors as float16, as weights files hold them."""
    return {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}


def take_over(network: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Received weights into a network; what is not among them stays."""
    state = network.state_dict()
    state.update({k: torch.from_numpy(v.astype(np.float32)) for k, v in tensors.items()})
    network.load_state_dict(state)


def inference_tensors(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Tensors of a network, without the counters of batch normalisation, which inference doesn't read."""
    return {k: v.numpy(force=True) for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
