"""Sweeps: one scenario over axes and replications, run in parallel, resumed where it was stopped, in one table."""
