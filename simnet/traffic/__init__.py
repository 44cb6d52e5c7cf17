"""Who wishes for which item, and when: one file per kind of traffic."""
