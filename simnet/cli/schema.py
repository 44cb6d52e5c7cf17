"""``simnet schema``: the scenario's JSON Schema, by which editors complete and check."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON Schema of scenario files, every plug-in's parameters included."""
    import json

    from simnet.cli.characters import print_exactly
    from simnet.scenario.schema import Scenario

    print_exactly(json.dumps(Scenario.model_json_schema(), indent=2, ensure_ascii=False))
