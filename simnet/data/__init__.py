"""Data sets: loaders for the usual files, the small shipped samples, fetching with checksums."""
