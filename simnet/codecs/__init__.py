"""Codecs: one file per system; an encoder/decoder pair for one source type, semantic or classical."""
