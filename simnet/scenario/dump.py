"""A scenario back to YAML, every default written out; loading it gives the same scenario again."""

from __future__ import annotations

import yaml

from simnet.scenario.schema import Scenario
from simnet.scenario.yaml_tree import resolve


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.2, too, would read as something else: PyYAML writes the text ``1e6`` without quotes."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    try:
        plain = resolve(text) == text and "\x85" not in text  # a line break of YAML 1.1, which plain text would lose
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def dump_scenario(scenario: Scenario) -> str:
    """The scenario as a YAML text."""
    data = scenario.model_dump(mode="json")
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
