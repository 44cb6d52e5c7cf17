"""How slices reach those who miss them: one strategy per file."""
