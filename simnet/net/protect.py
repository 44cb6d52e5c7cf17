"""``protocol.protect``: what of a slice travels protected over links without protection."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from simnet.core.errors import SimnetError
from simnet.scenario.schema import Protect
from simnet.wire.precision import n_bit
from simnet.wire.slices import Slice, split_raw


def split_for(protect: Protect, slice_: Slice) -> tuple[bytes, bytes]:
    """Header, which arrives whole, and body, which does not."""
    if protect.model == "none":
        return split_raw(slice_)
    return split_raw(slice_, layers=protect.layers, high_bits=protect.high_bits)


def check_protect(protect: Protect, slices: Collection[Slice], where: str) -> None:
    """Every layer of ``protect`` fits a weight tensor of a slice, and every slice has the high bits.

    Args:
        slices: all that an arm may send; none: nothing is checked.
        where: key path of ``protect``, for errors.

    Raises:
        SimnetError: one does not; names the slices' weight tensors.
    """
    if protect.model != "part":
        return
    for slice_ in slices:
        if protect.high_bits is not None and protect.high_bits > n_bit(slice_.precision):
            raise SimnetError(
                f"{where}.high_bits: got {protect.high_bits}; allowed 1..{n_bit(slice_.precision)}: "
                f"the weights of slice {slice_.name} are {slice_.precision}"
            )
    for layer in protect.layers if slices else ():
        if not any(fnmatchcase(name, layer) for slice_ in slices for name in slice_.weight_names):
            have = "; ".join(f"{slice_.name}: {', '.join(slice_.weight_names) or 'none'}" for slice_ in slices)
            raise SimnetError(f"{where}.layers: got {layer!r}, which fits no weight tensor; allowed: globs of {have}")
