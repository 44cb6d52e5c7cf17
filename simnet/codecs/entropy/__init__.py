"""Symbols to bytes and back (no plug-ins)."""
