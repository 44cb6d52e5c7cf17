"""The channel inside a learned coder: features to complex symbols of unit power, over a channel, and back.

Paper 003, equations (2) to (4), differentiable. The same modules train a coder (draws from a torch generator) and carry
its symbols in a simulation (draws named by what they serve).
"""
