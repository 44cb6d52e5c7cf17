"""Bits to symbols and back: LDPC, QAM, channels, CRC, the digital chain and its BLER tables.

Conventions of the whole folder: complex symbols have unit mean energy (Es = 1); N0 is the variance of the complex
noise, half of it in each real dimension; Es/N0 is linear and called ``esno``; bits are uint8; the sign of an LLR is
defined in :mod:`simnet.phy.llr` and nowhere else.
"""
