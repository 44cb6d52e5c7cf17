"""What may be said of a simulation's random output: of replications, of one long run, of its warm-up."""
