"""Block error rates of the exact chain, measured once and looked up ever after."""
