"""What the classical codecs share (no plug-ins)."""
