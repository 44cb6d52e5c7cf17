"""LDPC codes: IEEE 802.16e, 5G NR, any parity-check matrix; encoders and decoders."""
