"""Recipes of kind ``rlasc_agent``: which concept deserves which level (paper 004, (12)-(22) and Algorithm 2).

The policy gradient of the expected L, in one of two ways. *Sampled* is REINFORCE as in the paper: every picture is
coded several times at one price; what the others earned from the same concept on, on average, is the baseline of each.
An action is credited with what comes after it, not with what came before as well, as in the paper's (21); nor does a
later action weigh less than an early one, as by the γ^m of (15). *Counterfactual* computes what every level of a
concept would lead to, the other concepts as the episode has them (Foerster et al., AAAI 2018): the expectation over a
concept's actions is a sum, without the noise of the others' actions. Either way a picture's advantages are divided by
their spread, so that pictures at a low price count as much as those at a high one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor

from simnet.codecs.networks.rlasc import LEVELS, Rlasc, load_rlasc
from simnet.codecs.networks.rlasc_agent import Agent, AgentShape, Episode, act, load_agent, played
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import Split
from simnet.signal.originals import Originals
from simnet.tasks.feature_distance import feature_distance
from simnet.tasks.intersection import confusion, mean_iou
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine
from simnet.training.crops import Cropper, Crops
from simnet.training.painters import PlacedCrops, concepts_of
from simnet.training.prices import Price, Prices, drawn_prices
from simnet.training.recipe import BaseRecipe
from simnet.training.rlasc import level_lengths
from simnet.training.run import TrainingRun

N_CURVE_IMAGES = 40


class Recipe(BaseRecipe):
    """``kind: rlasc_agent``."""

    kind: Literal["rlasc_agent"] = "rlasc_agent"
    codec: str
    """Zoo name of the codec, which stays as it is."""
    width: Annotated[int, Field(ge=2, le=256)] = 32
    task: str = "segmenter/street_parser"
    """Zoo name of the network that makes the label map, and whose results and features the reward is about. Never the
    judge."""
    price: Prices = (0.05, 3.0)
    """Lowest and highest λ of (12), per bit per pixel, drawn per picture, evenly in its logarithm."""
    perceptual: Annotated[float, Field(ge=0)] = 0.1
    """η of (12)."""
    credit: Literal["counterfactual", "sampled"] = "counterfactual"
    prices: Annotated[int, Field(ge=1, le=64)] = 8
    """How many λ each episode is weighed at; counterfactual only."""
    discount: Annotated[float, Field(gt=0, le=1)] = 0.99
    """γ of (15); sampled only."""
    rollouts: Annotated[int, Field(ge=2, le=64)] = 4
    """How often each picture of a batch is coded; sampled only."""
    entropy: Annotated[float, Field(ge=0)] = 0.02
    """What a nat of the policy's entropy is worth, in standard deviations of the advantage; keeps it trying."""
    exploration: Annotated[float, Field(ge=0)] = 0.5
    """What it is worth beyond that at the start, falling as (1 − t)², or one level is taken for all before the others
    are weighed."""
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    crops: PlacedCrops = Field(default_factory=Crops)
    judge: str
    measure_at: tuple[Price, ...] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0)
    """Prices that the card is measured at."""


class Bits:
    """Bits of each concept's features at each level, by the tables of the codec."""

    def __init__(self, networks: Rlasc, tables: Tensor) -> None:
        self._networks = networks
        self._lengths = [level_lengths(tables, level) for level in range(len(LEVELS))]

    def of(self, features: Tensor, label_map: Tensor) -> Tensor:
        """[B, M, Q] float32."""
        found = []
        labels = label_map[:, None].expand_as(features)
        for level, lengths in enumerate(self._lengths):
            n_bit = lengths[labels, self._networks.quantiser.symbols(features, level)].sum(1).float()
            by_class = n_bit.new_zeros(len(features), self._networks.shape.n_classes)
            found.append(by_class.scatter_add(1, label_map.flatten(1), n_bit.flatten(1)))
        return torch.stack(found, dim=-1)


class Begun(NamedTuple):
    """Pictures before the first choice.

    Attributes:
        bits: of each concept at each level, [B, M, Q].
        seen: what the task's network sees in the originals, [B, H, W].
        wanted: its features of them.
    """

    episode: Episode
    bits: Tensor
    seen: Tensor
    wanted: list[Tensor]


class Allocation(ABC):
    """An objective: L (13), to be lowered by choosing levels."""

    def __init__(
        self, agent: Agent, networks: Rlasc, bits: Bits, task: Segmenter, cropper: Cropper, test: Tensor,
        recipe: Recipe, device: torch.device,
    ) -> None:  # fmt: skip
        self.module = agent.to(device)
        self._networks, self._bits, self._task = networks.to(device), bits, task.to(device)
        self._cropper, self._test = cropper, test
        self.n_items = len(cropper)
        self._recipe, self._device = recipe, device

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, _ = self._cropper.batch(indices, rng, self._device)
        return self._loss_of(images, rng, self._recipe.entropy + self._recipe.exploration * (1 - done) ** 2)

    @abstractmethod
    def _loss_of(self, images: Tensor, rng: np.random.Generator, nat: float) -> Tensor:
        """``nat``: what a nat of entropy is worth."""

    def _prices(self, size: int | tuple[int, int], rng: np.random.Generator) -> Tensor:
        return drawn_prices(self._recipe.price, size, rng).to(self._device)

    def _generator(self, rng: np.random.Generator) -> torch.Generator:
        return torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))

    @torch.no_grad()
    def _begin(self, images: Tensor) -> Begun:
        label_map, features = concepts_of(images, self._task), self._networks.encoder(images).float()
        episode = Episode(self._networks, features, label_map)
        seen, wanted = self._task(images).argmax(1), self._task.features(images)
        return Begun(episode, self._bits.of(features, label_map), seen, wanted)

    def _loss_so_far(self, begun: Begun, price: Tensor | float) -> Tensor:
        """L^(m) (13), [B]; the rate in bits per pixel, without what no choice changes."""
        recovered = begun.episode.recovered
        spent = begun.bits.gather(2, begun.episode.levels[..., None])[..., 0].sum(1) / recovered[0, 0].numel()
        return price * spent + self._harm(recovered, begun.seen, begun.wanted)

    def _harm(self, recovered: Tensor, seen: Tensor, wanted: list[Tensor]) -> Tensor:
        """L without the rate, [B]."""
        pyramid = self._task.features(recovered)
        labels = self._task.labelled(pyramid, recovered.shape[2:]).argmax(1)
        agreement = mean_iou(confusion(labels, seen, self._task.n_classes)).float()
        return (1 - agreement) + self._recipe.perceptual * feature_distance(wanted, pyramid)

    def evaluate(self) -> dict[str, float]:
        """Of test pictures at three prices: bits per pixel and L, of the likeliest actions."""
        figures = {}
        for price in (0.1, 0.4, 1.6):
            begun = self._begin(self._test)
            played(self.module, begun.episode, price)
            figures[f"bpp_{price}"] = float(spent_bpp(begun.bits, begun.episode.levels, self._test))
            figures[f"loss_{price}"] = float(self._loss_so_far(begun, price).mean())
        return figures


class Sampled(Allocation):
    """REINFORCE."""

    def _loss_of(self, images: Tensor, rng: np.random.Generator, nat: float) -> Tensor:
        recipe = self._recipe
        price, generator = self._prices(len(images), rng), self._generator(rng)
        repeated = images.repeat_interleave(recipe.rollouts, 0), price.repeat_interleave(recipe.rollouts)
        rewards, log_probabilities, entropy = self._rollout(*repeated, generator)
        taken = log_probabilities.detach() != 0
        advantage = above_the_others(returns(rewards, recipe.discount), recipe.rollouts) * taken
        advantage = advantage / spread(advantage, taken, recipe.rollouts)
        n_acts = (log_probabilities != 0).sum().clamp(min=1)
        return -((advantage * log_probabilities).sum() + nat * entropy) / n_acts

    def _rollout(self, images: Tensor, price: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Rewards (14) and log-probabilities [B, M], 0 for concepts that aren't there; summed entropy."""
        begun = self._begin(images)
        episode = begun.episode
        with torch.no_grad():
            losses = self._loss_so_far(begun, price)
        n_classes = self._networks.shape.n_classes
        rewards, log_probabilities = torch.zeros(2, len(images), n_classes, device=self._device).unbind()
        taken, entropy = [], torch.zeros((), device=self._device)
        for label in range(n_classes):
            rows = episode.rows_with(label)
            if not len(rows):
                taken.append(log_probabilities[:, label])
                continue
            logits = self.module(
                episode.features[rows], episode.masks[rows, label], episode.recovered[rows], label, price[rows]
            ).float()
            policy = logits.log_softmax(1)
            action = torch.multinomial(policy.detach().exp(), 1, generator=generator)[:, 0]
            taken.append(torch.zeros_like(price).index_put((rows,), policy.gather(1, action[:, None])[:, 0]))
            entropy = entropy - (policy.exp() * policy).sum()
            with torch.no_grad():
                episode.choose(label, action)
                after = self._loss_so_far(begun, price)
                rewards[:, label] = losses - after
                losses = after
        return rewards, torch.stack(taken, dim=1), entropy


class Counterfactual(Allocation):
    """The expected L of each concept's policy, the other concepts as an episode of it left them.

    A price scales the bits alone: one episode's outcomes serve several.
    """

    def _loss_of(self, images: Tensor, rng: np.random.Generator, nat: float) -> Tensor:
        prices = self._prices((len(images), self._recipe.prices), rng)
        seen_by_agent, there, bpp, harm = self._outcomes(images, prices[:, 0], self._generator(rng))
        costs = prices[:, None, :, None] * bpp[:, :, None] + harm[:, :, None]
        relative = (costs - costs.mean(-1, keepdim=True)) * there[:, :, None, None]
        n = there.sum(1) * costs.shape[-1]
        scale = (relative.square().sum((1, 3)) / n[:, None]).sqrt().clamp(min=1e-6)
        total = torch.zeros((), device=self._device)
        for label, (rows, *views) in seen_by_agent.items():
            each = [view.repeat_interleave(prices.shape[1], 0) for view in views]
            logits = self.module(*each, label, prices[rows].flatten()).float().unflatten(0, (len(rows), -1))
            policy = logits.softmax(-1)
            entropy = -(policy * logits.log_softmax(-1)).sum(-1)
            expected = (policy * relative[rows, label]).sum(-1) / scale[rows]
            total = total + (expected - nat * entropy).sum()
        return total / (there.sum() * prices.shape[1])

    @torch.no_grad()
    def _outcomes(
        self, images: Tensor, price: Tensor, generator: torch.Generator
    ) -> tuple[dict[int, tuple[Tensor, ...]], Tensor, Tensor, Tensor]:
        """Play an episode: by concept, its pictures and what the agent saw; [B, M], whether it's there; [B, M, Q] of
        each level, bits per pixel and the harm."""
        episode, bits, seen, wanted = self._begin(images)
        views: dict[int, tuple[Tensor, ...]] = {}
        for label in range(self._networks.shape.n_classes):
            rows = episode.rows_with(label)
            if len(rows):
                view = episode.features[rows], episode.masks[rows, label], episode.recovered[rows]
                policy = self.module(*view, label, price[rows]).float().softmax(1)
                episode.choose(label, torch.multinomial(policy, 1, generator=generator)[:, 0])
                views[label] = (rows, *view)
        harm = torch.zeros_like(bits)
        for label, (rows, *_) in views.items():
            made = episode.alternatives(label)
            each = rows.repeat_interleave(made.shape[1])
            harm[rows, label] = self._harm(made.flatten(0, 1), seen[each], [f[each] for f in wanted]).view(
                len(rows), -1
            )
        return views, episode.there, bits / images[0, 0].numel(), harm


def returns(rewards: Tensor, discount: float) -> Tensor:
    """From each step on, [B, M]: its reward and the discounted later ones (15)."""
    total, found = torch.zeros_like(rewards[:, 0]), []
    for reward in rewards.flip(1).unbind(1):
        total = reward + discount * total
        found.append(total)
    return torch.stack(found[::-1], dim=1)


def above_the_others(values: Tensor, rollouts: int) -> Tensor:
    """Of each of a picture's rollouts, which follow each other: its value less the mean of the other ones."""
    grouped = values.view(-1, rollouts, values.shape[1])
    others = (grouped.sum(1, keepdim=True) - grouped) / (rollouts - 1)
    return (grouped - others).view_as(values)


def spread(advantage: Tensor, taken: Tensor, rollouts: int) -> Tensor:
    """Root of the mean square over the actions of a picture's rollouts, [B, 1]: what one price makes large, another
    doesn't."""
    squares, n = (x.view(-1, rollouts * advantage.shape[1]).sum(1) for x in (advantage.square(), taken.float()))
    return (squares / n.clamp(min=1)).sqrt().clamp(min=1e-6).repeat_interleave(rollouts)[:, None]


def spent_bpp(bits: Tensor, levels: Tensor, images: Tensor) -> Tensor:
    """Mean bits of features per pixel of images, at levels [B, M]; ``bits`` [B, M, Q]."""
    return bits.gather(2, levels[..., None]).sum() / images[:, 0].numel()


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    load_segmenter(model_dir(recipe.judge) / "weights.safetensors")  # a missing judge is said before the training
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    device = engine.resolve_device(run.device)
    networks, tables, _ = load_rlasc(model_dir(recipe.codec) / "weights.safetensors")
    shape = AgentShape(
        code_channels=networks.shape.code_channels, n_classes=networks.shape.n_classes, width=recipe.width
    )
    agent = engine.initialised(lambda: Agent(shape), recipe.seed, "rlasc_agent")
    task = load_segmenter(model_dir(recipe.task) / "weights.safetensors")
    sample = KINDS["data"].load(recipe.measure_on)().load("sample")
    test = torch.tensor(sample.images[:N_CURVE_IMAGES], device=device).float() / 255
    bits = Bits(networks, tables.to(device))
    kind = {"counterfactual": Counterfactual, "sampled": Sampled}[recipe.credit]
    objective = kind(agent, networks, bits, task, Cropper(train, recipe.crops), test, recipe, device)
    fitted = engine.fit(objective, recipe, run)
    checkpoints.save_weights(run.out / "weights.safetensors", agent.half(), {"shape": shape.model_dump_json()})
    cards.conclude(recipe, run, fitted, train, {"agent": cards.n_values(agent.parameters())})


@torch.no_grad()
def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """At each price: bits per pixel of the features, and what :class:`Originals` says."""
    device = engine.resolve_device(run.device)
    agent = load_agent(run.out / "weights.safetensors").to(device)
    networks, tables, _ = load_rlasc(model_dir(recipe.codec) / "weights.safetensors")
    networks.to(device)
    judge, task = (
        load_segmenter(model_dir(name) / "weights.safetensors").to(device) for name in (recipe.judge, recipe.task)
    )
    bits = Bits(networks, tables.to(device))
    pictures = KINDS["data"].load(recipe.measure_on)().load("test", run.data_root)
    originals = Originals.of(pictures, judge, task)
    rows: list[JsonValue] = []
    for price in recipe.measure_at:
        spent: list[float] = []

        def recover(images: Tensor, price: float = price, spent: list[float] = spent) -> Tensor:
            label_map, features = concepts_of(images, task), networks.encoder(images)
            levels = act(agent, networks, features, label_map, price)
            spent.append(float(spent_bpp(bits.of(features, label_map), levels, images)) * len(images))
            return networks.made_of(features, label_map, levels)

        quality = originals.held_against(recover)
        rows.append({"price": price, "features_bpp": round(sum(spent) / len(pictures), 5), **quality})
    return {"by_price": rows, "n": len(pictures)}
