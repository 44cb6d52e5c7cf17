"""Channels from symbols to symbols: flat and frequency-selective fading, OFDM, equalisation, channel estimation."""
