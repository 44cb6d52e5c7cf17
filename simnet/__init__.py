"""simnet: a simulator of networks in which neural models travel."""

__version__ = "0.1.0"
