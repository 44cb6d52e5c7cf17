"""Batched tensor work behind tickets: encode, channel, decode, task, SS. The event loop never sees a tensor."""
