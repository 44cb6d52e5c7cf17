"""The kinds of frame: one number each, never reused for something else."""

from enum import IntEnum


class Kind(IntEnum):
    """What a frame holds. 1..15 slices, 16..127 messages."""

    SLICE_PLANES = 1
    SLICE_BYTES = 2
    SLICE_HEADER = 3
    SLICE_DELTA = 4
    REQUEST = 16
    CODE = 17
    SLICE_DATA = 18
    SLICE_REQUEST = 19
    SLICE_REF = 20
    ACK = 21
    NACK = 22
    PUBLISH = 23
    FIND = 24
    FOUND = 25
    ENHANCE = 26
    SLICE_DELTA_DATA = 27
    UPDATE_REQUEST = 28
