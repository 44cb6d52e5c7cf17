"""RL-ASC's training: who is trained by what, the reward and its gradient written out, the tables of the codes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from simnet.codecs.entropy.huffman import HuffmanCode
from simnet.codecs.networks.rlasc import LEVELS, Rlasc, RlascShape
from simnet.codecs.networks.rlasc_agent import Agent, AgentShape, Episode, act
from simnet.data.camvid_small import CamVidSmall
from simnet.tasks.feature_distance import feature_distance
from simnet.tasks.intersection import confusion, mean_iou
from simnet.tasks.networks.fpn import Fpn
from simnet.training import rlasc, rlasc_agent
from simnet.training.critic import MultiScaleCritic, hinge_loss
from simnet.training.crops import Cropper, Crops
from simnet.training.painters import Studio, concepts_of
from simnet.training.rlasc import ConceptCoding, Players, drawn_levels, fitted_tables, level_lengths
from simnet.training.rlasc_agent import Allocation, Bits, Counterfactual, Sampled, above_the_others, returns
from simnet.training.rlasc_tuning import chosen_levels

SHAPE = RlascShape(width=4, code_channels=2)
COMMON = {
    "data_set": "camvid_small",
    "measure_on": "camvid_small",
    "judge": "segmenter/street_judge",
    "optimisation": {"epochs": 1, "learning_rate": 0.001},
}


pytestmark = pytest.mark.filterwarnings("ignore:TF32 acceleration")  # torch says so when oneDNN's flags are set


@pytest.fixture(autouse=True)
def _sums_in_one_order() -> Iterator[None]:
    """oneDNN sums a batch in an order that hangs on its size and on the processor; where two classes are as likely as
    each other, a pixel's label would go with the last bit."""
    with torch.backends.mkldnn.flags(enabled=False):
        yield


@pytest.fixture(scope="module")
def segmenter() -> Fpn:
    torch.manual_seed(0)
    return Fpn(width=4).eval().requires_grad_(False)


def coding(segmenter: Fpn, **changes: object) -> ConceptCoding:
    torch.manual_seed(1)
    recipe = rlasc.Recipe.model_validate({"networks": SHAPE.model_dump(), **COMMON, **changes})
    sample = CamVidSmall().load("sample").first(6)
    test = torch.tensor(sample.images).float() / 255
    cropper = Cropper([sample], Crops())
    levels = partial(drawn_levels, mixed=recipe.mixed)
    studio = Studio(recipe, segmenter, segmenter, cropper, test, torch.device("cpu"))
    return ConceptCoding(Players(SHAPE), studio, recipe.classification_weight, levels)


def gradients(objective: ConceptCoding, done: float) -> dict[str, bool]:
    """Whether each part got one."""
    objective.module.zero_grad(set_to_none=True)
    objective.loss(np.arange(3), np.random.default_rng(0), done).backward()  # type: ignore[no-untyped-call]
    networks = objective.module.networks
    parts = {"encoder": networks.encoder, "centres": networks.quantiser, "attention": networks.decoder.attention,
             "local": networks.decoder.local, "global": networks.decoder.whole, "classify": networks.classify,
             "critic": objective.module.critic}  # fmt: skip
    return {
        name: any(p.grad is not None and bool(p.grad.any()) for p in part.parameters()) for name, part in parts.items()
    }


def test_the_discriminator_plays_at_the_end_only(segmenter: Fpn) -> None:
    objective = coding(segmenter, adversarial=0.3)
    early, late = gradients(objective, 0.5), gradients(objective, 0.8)
    assert not early.pop("critic") and all(early.values())
    assert all(late.values())


def test_the_third_stage_trains_at_the_levels_that_the_agent_chooses(segmenter: Fpn) -> None:
    """Of the networks as they are: each picture at a price of its own, within the recipe's."""
    first = coding(segmenter)
    agent = Agent(AgentShape(code_channels=2, width=4)).eval().requires_grad_(False)
    chosen = partial(chosen_levels, agent=agent, price=(0.1, 2.0))
    objective = ConceptCoding(first.module, first._studio, 0.01, chosen)
    images = first._studio.test[:3]
    label_map, features = concepts_of(images, segmenter), first.module.networks.encoder(images).detach()
    levels = chosen(first.module.networks, features, label_map, np.random.default_rng(4))
    prices = np.exp(np.random.default_rng(4).uniform(math.log(0.1), math.log(2.0), 3))
    for b in range(3):
        alone = act(agent, first.module.networks, features[b : b + 1], label_map[b : b + 1], float(prices[b]))
        assert torch.equal(levels[b : b + 1], alone)
    assert all(gradients(objective, 0.99).values())
    assert all(p.grad is None for p in agent.parameters())


def test_the_hinge_loss_by_hand() -> None:
    """(32), patch by patch; what made the image gets no gradient."""
    torch.manual_seed(2)
    critic = MultiScaleCritic(2, n_in=5)
    real, made = torch.randn(2, 5, 64, 64), torch.randn(2, 5, 64, 64, requires_grad=True)
    total = 0.0
    for scale in range(3):
        a, b = (F.avg_pool2d(x, 2**scale) if scale else x for x in (real, made))
        total += (1 - critic.scales[scale](a)).clamp(min=0).mean().item()
        total += (1 + critic.scales[scale](b)).clamp(min=0).mean().item()
    loss = hinge_loss(critic, real, made)
    assert loss.item() == pytest.approx(total / 3, rel=1e-4)
    loss.backward()  # type: ignore[no-untyped-call]
    assert made.grad is None


def test_tables_are_of_the_training_pictures(segmenter: Fpn) -> None:
    torch.manual_seed(3)
    networks, sample = Rlasc(SHAPE).eval(), CamVidSmall().load("sample").first(5)
    tables, map_table = fitted_tables(networks, segmenter, [sample], (96, 128))
    assert tables.shape == (11, sum(LEVELS)) and map_table.shape == (144, 16)
    for label in range(11):
        for level in range(len(LEVELS)):
            HuffmanCode(level_lengths(tables, level)[label].numpy().astype(np.uint8))
    # each class's table is no worse for its own symbols than any other class's
    images = torch.tensor(sample.images).float() / 255
    with torch.no_grad():
        label_map, features = concepts_of(images, segmenter), networks.encoder(images)
    for label in label_map.unique().tolist():
        symbols = networks.quantiser.symbols(features.movedim(1, -1)[label_map == label], 4).flatten()
        counts = torch.bincount(symbols, minlength=LEVELS[4]) + 1
        cost = (level_lengths(tables, 4) * counts).sum(1)
        assert int(cost.argmin()) == label or int(cost.min()) == int(cost[label])


def test_bits_are_those_of_the_huffman_codes(segmenter: Fpn) -> None:
    torch.manual_seed(4)
    networks, sample = Rlasc(SHAPE).eval(), CamVidSmall().load("sample").first(3)
    tables, _ = fitted_tables(networks, segmenter, [sample], (96, 128))
    images = torch.tensor(sample.images).float() / 255
    with torch.no_grad():
        label_map, features = concepts_of(images, segmenter), networks.encoder(images)
        bits = Bits(networks, tables).of(features, label_map)
    assert bits.shape == (3, 11, len(LEVELS))
    for b in range(3):
        for label in range(11):
            values = features[b][:, label_map[b] == label]
            for level in range(len(LEVELS)):
                code = HuffmanCode(level_lengths(tables, level)[label].numpy().astype(np.uint8))
                assert int(bits[b, label, level]) == code.n_bit(networks.quantiser.symbols(values, level).numpy())


def test_returns_and_baselines_by_hand() -> None:
    rewards = torch.tensor([[1.0, 0.0, 2.0], [0.5, 1.0, 0.0], [0.0, 0.0, 4.0], [2.0, 2.0, 2.0]])
    expected = [[sum(0.9 ** (k - m) * float(r[k]) for k in range(m, 3)) for m in range(3)] for r in rewards]
    found = returns(rewards, 0.9)
    assert torch.allclose(found, torch.tensor(expected))
    others = above_the_others(found, 2)
    assert torch.allclose(others[0], found[0] - found[1]) and torch.allclose(others[3], found[3] - found[2])


class Spy(Sampled):
    """Keeps what the rollout gave."""

    def _rollout(self, *inputs):  # type: ignore[no-untyped-def]
        self.inputs, self.given = inputs, super()._rollout(*inputs)
        return self.given


@pytest.fixture
def parts(segmenter: Fpn) -> tuple[object, ...]:
    """What an allocation is made of, but for its recipe."""
    torch.manual_seed(5)
    networks, sample = Rlasc(SHAPE).eval().requires_grad_(False), CamVidSmall().load("sample").first(4)
    tables, _ = fitted_tables(networks, segmenter, [sample], (96, 128))
    test = torch.tensor(sample.images).float() / 255
    agent = Agent(AgentShape(code_channels=2, width=4)).eval()
    return agent, networks, Bits(networks, tables), segmenter, Cropper([sample], Crops()), test


def allocating(kind: type[Allocation], parts: tuple[object, ...], **chosen: object) -> Allocation:
    recipe = rlasc_agent.Recipe.model_validate({"codec": "rlasc/street", **chosen, **COMMON})
    return kind(*parts, recipe, torch.device("cpu"))  # type: ignore[arg-type]


@pytest.fixture
def allocation(parts: tuple[object, ...]) -> Spy:
    spy = allocating(Spy, parts, credit="sampled", rollouts=3)
    assert isinstance(spy, Spy)
    return spy


def loss_by_hand(spy: Allocation, image: torch.Tensor, levels: torch.Tensor, price: float) -> float:
    """(13) of one picture [1, 3, H, W]: decoded as a whole, its bits counted symbol by symbol."""
    networks, task, bits = spy._networks, spy._task, spy._bits
    with torch.no_grad():
        label_map, features = concepts_of(image, task), networks.encoder(image)
        made = networks.made_of(features, label_map, levels)
        of = bits.of(features, label_map)
        spent = sum(float(of[0, label, levels[0, label]]) for label in range(11))
        agreement = mean_iou(confusion(task(made).argmax(1), task(image).argmax(1), 11))
        distance = feature_distance(task.features(image), task.features(made))
    return price * spent / (96 * 128) + 1 - float(agreement) + spy._recipe.perceptual * float(distance)


def test_rewards_are_what_each_choice_took_off_the_loss(allocation: Spy) -> None:
    """(14): all of them together are the loss at the coarsest levels, less that at the chosen ones."""
    seen: list[Episode] = []
    real = allocation._loss_so_far
    allocation._loss_so_far = lambda begun, price: (seen.append(begun.episode), real(begun, price))[1]  # type: ignore[method-assign]
    allocation.loss(np.arange(2), np.random.default_rng(1), 0.0)
    images, prices, _ = allocation.inputs
    rewards, log_probabilities, _ = allocation.given
    assert rewards.shape == (6, 11)
    levels = seen[-1].levels
    for b in range(6):
        image, price = images[b : b + 1], float(prices[b])
        coarse = loss_by_hand(allocation, image, torch.zeros(1, 11, dtype=torch.int64), price)
        chosen = loss_by_hand(allocation, image, levels[b : b + 1], price)
        assert float(rewards[b].sum()) == pytest.approx(coarse - chosen, abs=1e-5)
        absent = ~seen[-1].there[b]
        assert not rewards[b, absent].any() and not log_probabilities[b, absent].any()


def test_the_gradient_is_reinforce(allocation: Spy) -> None:
    """(21) with a baseline: ∇ of mean (G − Ḡ) log π, and of the entropy."""
    loss = allocation.loss(np.arange(2), np.random.default_rng(1), 0.0)
    rewards, log_probabilities, entropy = allocation.given
    total, n, spread = torch.zeros(()), 0, rms_of_groups(rewards, log_probabilities)
    for b in range(6):
        group = [k for k in range(b // 3 * 3, b // 3 * 3 + 3) if k != b]
        for m in range(11):
            if float(log_probabilities[b, m]):
                g = {k: sum(0.99 ** (i - m) * float(rewards[k, i]) for i in range(m, 11)) for k in (b, *group)}
                total = total + (g[b] - sum(g[k] for k in group) / 2) / spread[b // 3] * log_probabilities[b, m]
                n += 1
    expected = -(total + (0.02 + 0.5) * entropy) / n
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    assert 0 < float(entropy.detach()) <= n * math.log(len(LEVELS)) + 1e-3


def rms_of_groups(rewards: torch.Tensor, log_probabilities: torch.Tensor) -> list[float]:
    """Of the advantages of each picture's three rollouts."""
    found = []
    for start in (0, 3):
        squares = []
        for m in range(11):
            g = [sum(0.99 ** (i - m) * float(rewards[start + k, i]) for i in range(m, 11)) for k in range(3)]
            for k in range(3):
                if float(log_probabilities[start + k, m].detach()):
                    squares.append((g[k] - (sum(g) - g[k]) / 2) ** 2)
        found.append(float(np.sqrt(np.mean(squares))))
    return found


def test_pictures_of_one_group_share_their_price(allocation: Spy) -> None:
    allocation.loss(np.arange(2), np.random.default_rng(2), 0.0)
    images, prices, _ = allocation.inputs
    assert torch.equal(images[0], images[2]) and not torch.equal(images[2], images[3])
    assert prices[0] == prices[2] != prices[3]
    assert bool(((prices >= 0.05) & (prices <= 3.0)).all())


class CounterfactualSpy(Counterfactual):
    """Keeps what the episode gave."""

    def _outcomes(self, *inputs):  # type: ignore[no-untyped-def]
        self.inputs, self.given = inputs, super()._outcomes(*inputs)
        return self.given

    def _prices(self, *inputs):  # type: ignore[no-untyped-def]
        self.prices = super()._prices(*inputs)
        return self.prices


@pytest.fixture
def counterfactual(
    parts: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> tuple[CounterfactualSpy, Episode, float]:
    """After one batch of two pictures: what it saw, its episode, its loss."""
    played: list[Episode] = []

    def kept(*inputs: torch.Tensor) -> Episode:
        played.append(Episode(*inputs))  # type: ignore[arg-type]
        return played[-1]

    monkeypatch.setattr(rlasc_agent, "Episode", kept)
    spy = allocating(CounterfactualSpy, parts, prices=3)
    assert isinstance(spy, CounterfactualSpy)
    loss = spy.loss(np.arange(2), np.random.default_rng(3), 0.4)
    return spy, played[0], float(loss.detach())


def test_outcomes_are_of_one_level_changed(counterfactual: tuple[CounterfactualSpy, Episode, float]) -> None:
    """Each is the loss of the picture decoded as a whole, one concept at that level, the others as played."""
    spy, episode, _ = counterfactual
    views, there, bpp, harm = spy.given
    assert torch.equal(there, episode.there) and len(torch.unique(episode.levels[there])) > 1
    for b in range(2):
        present = there[b].nonzero()[:, 0].tolist()
        for label in (present[0], present[-1]):
            for level in (0, 3, 5):
                levels = episode.levels[b : b + 1].clone()
                levels[0, label] = level
                others = sum(float(bpp[b, m, levels[0, m]]) for m in range(11) if m != label)
                found = 0.7 * (others + float(bpp[b, label, level])) + float(harm[b, label, level])
                assert found == pytest.approx(loss_by_hand(spy, spy.inputs[0][b : b + 1], levels, 0.7), abs=1e-5)
    assert set(views) == set(there.any(0).nonzero()[:, 0].tolist())


def test_the_loss_is_the_expected_cost(counterfactual: tuple[CounterfactualSpy, Episode, float]) -> None:
    """By concept, picture and price: Σ π (cost − mean) over the picture's spread, less what entropy is worth."""
    spy, _, loss = counterfactual
    views, there, bpp, harm = spy.given
    prices = spy.prices
    assert prices.shape == (2, 3) and torch.equal(spy.inputs[1], prices[:, 0])
    total, n = 0.0, 0
    for b in range(2):
        present = there[b].nonzero()[:, 0].tolist()
        for price in prices[b].tolist():
            cost = {m: price * bpp[b, m] + harm[b, m] for m in present}
            above = {m: cost[m] - cost[m].mean() for m in present}
            spread = float(torch.cat(list(above.values())).square().mean().sqrt())
            for m in present:
                rows, *views_of = views[m]
                at = rows.tolist().index(b)
                with torch.no_grad():
                    logits = spy.module(*(v[at : at + 1] for v in views_of), m, torch.tensor([price]))[0]
                policy = logits.softmax(0)
                total += float((policy * above[m]).sum()) / spread + (0.02 + 0.5 * 0.6**2) * float(
                    (policy * policy.log()).sum()
                )
                n += 1
    assert loss == pytest.approx(total / n, abs=1e-5)


def test_recipes_say_what_is_wrong() -> None:
    for recipe, own in ((rlasc.Recipe, {"networks": {}}), (rlasc_agent.Recipe, {"codec": "rlasc/street"})):
        with pytest.raises(ValidationError, match=r"crops\n.*size: got \[100, 128\]; allowed multiples of 8"):
            recipe.model_validate({**own, **COMMON, "crops": {"size": [100, 128]}})
    with pytest.raises(ValidationError, match="the lowest first"):
        rlasc_agent.Recipe.model_validate({"codec": "rlasc/street", "price": [1, 0.1], **COMMON})
