"""Theory as judge: the simulator's own parts, run where a formula knows the answer (``simnet validate``)."""
