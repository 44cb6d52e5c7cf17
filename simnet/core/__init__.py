"""Units, named random streams, plug-in discovery, records: what every other layer stands on."""
