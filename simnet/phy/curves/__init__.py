"""Curves of one link over Es/N0: bit and block error rates, goodput, each point with its counts and beside theory."""
