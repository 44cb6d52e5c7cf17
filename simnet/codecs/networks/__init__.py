"""The networks that semantic codecs are made of (no plug-ins)."""
