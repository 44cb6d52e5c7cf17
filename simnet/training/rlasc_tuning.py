"""Recipes of kind ``rlasc_tuning``: RL-ASC's third stage, the codec tuned to what its agent chooses (paper 004)."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from torch import Tensor

from simnet.codecs.networks.rlasc import Rlasc, load_rlasc
from simnet.codecs.networks.rlasc_agent import Agent, act, load_agent
from simnet.core.zoo import model_dir
from simnet.training import engine, rlasc
from simnet.training.prices import Prices, drawn_prices
from simnet.training.rlasc import ConceptsRecipe, Players
from simnet.training.run import TrainingRun


class Recipe(ConceptsRecipe):
    """``kind: rlasc_tuning``. The discriminator starts anew, for codecs come without theirs."""

    kind: Literal["rlasc_tuning"] = "rlasc_tuning"
    codec: str
    """Zoo name of the codec that the training goes on from."""
    agent: str
    """Zoo name of its agent, which stays as it is."""
    price: Prices = (0.05, 3.0)
    """Lowest and highest λ that the agent is asked at, drawn per picture."""


def chosen_levels(
    networks: Rlasc, features: Tensor, label_map: Tensor, rng: np.random.Generator, *, agent: Agent, price: Prices
) -> Tensor:
    """Those that the agent likes best, of the codec as it is by now, each picture at a price of its own."""
    prices = drawn_prices(price, len(features), rng).to(features.device)
    return act(agent.to(features.device), networks, features.float(), label_map, prices)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, count the codes' symbols anew, write ``weights.safetensors`` and ``card.yaml``."""
    codec, _, _ = load_rlasc(model_dir(recipe.codec) / "weights.safetensors")
    agent = load_agent(model_dir(recipe.agent) / "weights.safetensors")
    module = engine.initialised(lambda: Players(codec.shape), recipe.seed, "rlasc_tuning")
    module.networks.load_state_dict(codec.state_dict())
    rlasc.train(recipe, run, module, partial(chosen_levels, agent=agent, price=recipe.price))


measure = rlasc.measure
"""As of the first stage: at each level for every concept."""
