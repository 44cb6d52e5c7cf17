"""The network in simulated time: nodes, links, the request protocol. SimPy lives here and only here."""
