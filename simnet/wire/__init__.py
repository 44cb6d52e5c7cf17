"""Bytes: frames (msgpack + zstd + CRC), typed messages, and slices as tensors at a named precision.

Sizes in every metric are those of the bytes made here. numpy only;
msgpack and zstandard are loaded at first use.
"""
