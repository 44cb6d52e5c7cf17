"""The channel layer of learned coders: power, noise, gradients, feedback."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from simnet.codecs.networks.channel_slices import ChannelSliceShape
from simnet.core.errors import SimnetError, UnknownName
from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.channels.flat import complex_noise
from simnet.phy.channels.grid import OfdmGrid
from simnet.phy.channels.registry import channel_by_name
from simnet.phy.learned.channel import Equaliser, LearnedChannel
from simnet.phy.learned.draws import ChannelDraws
from simnet.phy.learned.esno import EsnoRange
from simnet.phy.learned.feedback import FeedbackChannel, FeedbackDraws
from simnet.phy.learned.mapping import to_features, to_symbols
from simnet.phy.learned.power import normalise_power

CHANNELS = ("awgn", "rayleigh_block", "rayleigh_fast")


def torch_rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def features(name: str, *shape: int) -> Tensor:
    """Real, float64."""
    return torch.from_numpy(generator(1, name).standard_normal(shape))


def layer(name: str, equaliser: Equaliser = "mmse", **settings: Any) -> LearnedChannel:
    return LearnedChannel(channel_by_name(name, **settings), equaliser)


# Mapping


def test_channels_pair_up_as_real_and_imaginary_parts() -> None:
    values = torch.arange(16.0).reshape(1, 4, 2, 2)
    symbols = to_symbols(values)
    assert symbols.dtype == torch.complex64
    assert symbols[0].tolist() == [complex(i, i + 8) for i in range(8)]
    assert torch.equal(to_features(symbols, (4, 2, 2)), values)


def test_precision_is_kept_and_half_becomes_single() -> None:
    assert to_symbols(torch.zeros(2, 6, dtype=torch.float64)).dtype == torch.complex128
    assert to_symbols(torch.zeros(2, 6, dtype=torch.bfloat16)).dtype == torch.complex64


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(SimnetError, match=r"got features of 27 values per image \(3, 3, 3\); allowed an even number"):
        to_symbols(torch.zeros(2, 3, 3, 3))
    with pytest.raises(SimnetError, match=r"got the shape \(2, 2\) for 4 complex symbols; allowed shapes of 8 values"):
        to_features(torch.zeros(1, 4, dtype=torch.complex64), (2, 2))


# Power


def test_power_is_one_per_complex_symbol_and_image() -> None:
    scale = torch.tensor([1e-3, 1.0, 50.0])[:, None]
    symbols = normalise_power(to_symbols(features("power", 3, 40) * scale))
    torch.testing.assert_close(symbols.abs().square().mean(1), torch.ones(3, dtype=torch.float64))
    # Half of it per real dimension, on average: not one per real value.
    assert float(torch.view_as_real(symbols).square().mean()) == pytest.approx(0.5)
    assert float(normalise_power(symbols, 2.5).abs().square().mean()) == pytest.approx(2.5)


def test_images_do_not_lend_each_other_power() -> None:
    first = to_symbols(features("alone", 1, 40))
    beside = torch.cat((first, 1e4 * to_symbols(features("beside", 1, 40))))
    torch.testing.assert_close(normalise_power(beside)[:1], normalise_power(first))


def test_unsent_symbols_are_zero_and_do_not_count() -> None:
    symbols = to_symbols(features("masked", 2, 20))
    sent = torch.zeros(2, 10, dtype=torch.bool)
    sent[0, :4] = sent[1, 5:] = True
    normalised = normalise_power(symbols, sent=sent)
    assert torch.equal(normalised != 0, sent)
    energy = normalised.abs().square().sum(1)
    torch.testing.assert_close(energy, torch.tensor([4.0, 5.0], dtype=torch.float64))


def test_an_image_of_zeros_stays_zero_with_a_finite_gradient() -> None:
    values = torch.zeros(1, 8, requires_grad=True)
    symbols = normalise_power(to_symbols(values))
    symbols.abs().square().sum().backward()
    assert not symbols.any()
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()


# Noise


@pytest.mark.parametrize("esno_db", [-3.0, 5.0, 20.0])
@pytest.mark.parametrize("name", CHANNELS)
def test_measured_esno_is_the_nominal_one(name: str, esno_db: float) -> None:
    n_images, k = (100_000, 4) if name == "rayleigh_block" else (40, 10_000)
    symbols = normalise_power(to_symbols(features("esno", n_images, 2 * k)))
    channel = layer(name)
    draws = channel.draw(n_images, k, torch_rng(1))
    received = channel(symbols, torch.full((n_images,), db_to_linear(esno_db)), draws).received
    faded = draws.gain.to(symbols) * symbols
    noise_power = float((received - faded).abs().square().mean())
    # Symbols have power 1 exactly; that of 4e5 noise samples has a standard error of 0.007 dB.
    assert linear_to_db(1 / noise_power) == pytest.approx(esno_db, abs=0.05)
    each_part = torch.view_as_real(received - faded).square().mean((0, 1)) * db_to_linear(esno_db)
    assert each_part.tolist() == pytest.approx([0.5, 0.5], abs=4 * math.sqrt(0.5 / (n_images * k)))
    power = draws.gain.abs().square().double().mean(1)
    independent = {"awgn": 1, "rayleigh_block": n_images, "rayleigh_fast": n_images * k}[name]
    assert abs(float(power.mean()) - 1) <= (0 if name == "awgn" else 4 / math.sqrt(independent))


def test_awgn_is_equation_three() -> None:
    symbols, channel = to_symbols(features("eq3", 2, 8)), layer("awgn")
    draws = channel.draw(2, 4, torch_rng(1))
    reception = channel(symbols, torch.tensor([4.0, 100.0]), draws)
    expected = symbols + draws.noise * torch.tensor([[0.5], [0.1]])
    torch.testing.assert_close(reception.symbols, expected)
    assert torch.equal(reception.symbols, reception.received)


@pytest.mark.parametrize("name", ["rayleigh_block", "rayleigh_fast"])
def test_equalisers_are_as_stated(name: str) -> None:
    symbols = to_symbols(features("equalised", 3, 12))
    esno = torch.tensor([2.0, 5.0, 30.0], dtype=torch.float64)
    draws = layer(name).draw(3, 6, torch_rng(2)).to(symbols)
    received = draws.gain * symbols + draws.noise / esno.sqrt()[:, None]
    forced = layer(name, "zero_forcing")(symbols, esno, draws)
    torch.testing.assert_close(forced.received, received)
    torch.testing.assert_close(forced.symbols, received / draws.gain)
    least = layer(name, "mmse")(symbols, esno, draws).symbols
    expected = draws.gain.conj() * received / (draws.gain.abs().square() + 1 / esno[:, None])
    torch.testing.assert_close(least, expected)


def test_gains_are_one_per_image_or_one_per_symbol() -> None:
    block = layer("rayleigh_block").draw(5, 7, torch_rng(1)).gain
    fast = layer("rayleigh_fast").draw(5, 7, torch_rng(1)).gain
    assert torch.equal(block, block[:, :1].expand(-1, 7))
    assert len(set(block[:, 0].tolist())) == 5
    assert len(set(fast.flatten().tolist())) == 35


def test_any_channel_model_will_do() -> None:
    line = layer("tdl_a", rms_delay_spread_s=100e-9, grid=OfdmGrid(16, 15e3, 2))
    symbols = normalise_power(to_symbols(features("tdl", 3, 80)))
    reception = line(symbols, torch.full((3,), 1e9), line.draw(3, 40, torch_rng(1)))
    torch.testing.assert_close(reception.symbols, symbols, rtol=0, atol=1e-2)


def test_draws_follow_their_generator() -> None:
    channel = layer("rayleigh_fast")
    first, again, other = (channel.draw(2, 3, torch_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.gain, again.gain)
    assert torch.equal(first.noise, again.noise)
    assert not torch.equal(first.gain, other.gain)
    assert not torch.equal(first.noise, other.noise)
    rng = torch_rng(1)
    assert not torch.equal(channel.draw(2, 3, rng).gain, channel.draw(2, 3, rng).gain)


def test_named_draws_do_not_depend_on_the_batch() -> None:
    channel = channel_by_name("rayleigh_block")
    fading = [(1, "link", "fading", i) for i in range(3)]
    noise = [(1, "link", b"payload", i) for i in range(3)]
    together = ChannelDraws.named(channel, 9, fading, noise)
    alone = ChannelDraws.named(channel, 9, fading[1:2], noise[1:2])
    assert torch.equal(together.gain[1:2], alone.gain)
    assert torch.equal(together.noise[1:2], alone.noise)
    assert np.array_equal(together.noise[2].numpy(), complex_noise(noise[2], 9))
    assert np.array_equal(together.gain[2].numpy(), channel.gains(9, rng=generator(*fading[2])))


# Es/N0


def test_esno_is_drawn_per_image_or_per_batch() -> None:
    per_image = EsnoRange(0.0, 20.0).sample(4000, torch_rng(1))
    esno_db = 10 * per_image.double().log10()
    assert 0 <= float(esno_db.min()) < 0.1
    assert 19.9 < float(esno_db.max()) <= 20
    # Uniform in dB: mean 10, standard deviation 20/√12.
    assert abs(float(esno_db.mean()) - 10) < 4 * 20 / math.sqrt(12 * 4000)
    per_batch = EsnoRange(0.0, 20.0, "batch").sample(50, torch_rng(1))
    assert per_batch.shape == (50,)
    assert len(set(per_batch.tolist())) == 1
    assert EsnoRange(3.0, 3.0).sample(2, torch_rng(1)).tolist() == pytest.approx([db_to_linear(3.0)] * 2)
    with pytest.raises(UnknownName, match=r"Es/N0 drawn per: got 'epoch'.*batch, image"):
        EsnoRange(0.0, 1.0, "epoch")  # type: ignore[arg-type]
    with pytest.raises(SimnetError, match=r"Es/N0 range: got 5\.0 to 1\.0 dB; allowed lowest first"):
        EsnoRange(5.0, 1.0)


def test_unknown_equaliser() -> None:
    with pytest.raises(UnknownName, match=r"unknown equaliser: got 'zf'.*Allowed: mmse, zero_forcing"):
        layer("awgn", "zf")  # type: ignore[arg-type]


# Gradients


@pytest.mark.parametrize("equaliser", ["mmse", "zero_forcing"])
@pytest.mark.parametrize("name", CHANNELS)
def test_gradients_through_everything(name: str, equaliser: Equaliser) -> None:
    channel = layer(name, equaliser)
    draws = channel.draw(2, 4, torch_rng(3))

    def chain(values: Tensor, esno: Tensor) -> Tensor:
        symbols = normalise_power(to_symbols(values))
        return to_features(channel(symbols, esno, draws).symbols, values.shape[1:])

    values = features("gradcheck", 2, 2, 2, 2).requires_grad_()
    esno = torch.tensor([3.0, 10.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(chain, (values, esno))


# Feedback


class Recorder(nn.Module):
    """A linear channel encoder that keeps what it was given."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        weight = features("encoder", 2 * n_channels, 2 * n_channels)
        self.weight = nn.Parameter(weight)
        self.seen: list[Tensor] = []

    def forward(self, wf: Tensor) -> Tensor:
        self.seen.append(wf)
        return torch.einsum("oi,bihw->bohw", self.weight, wf)


def feedback_channel(forward: str = "rayleigh_block", reverse: str = "awgn") -> FeedbackChannel:
    return FeedbackChannel(layer(forward, "zero_forcing"), layer(reverse))


def test_the_encoder_sees_first_nothing_and_then_what_came_back() -> None:
    exchange, encoder = feedback_channel(), Recorder(4)
    sent = features("w", 3, 4, 2, 3)
    esno, quiet = torch.full((3,), 5.0), torch.full((3,), 1e12)
    draws = exchange.draw(sent, torch_rng(1))
    got = exchange(sent, encoder, esno, quiet, draws)
    first, second = encoder.seen
    assert torch.equal(first, torch.cat((sent, torch.zeros_like(sent)), 1))
    assert torch.equal(second, torch.cat((sent, got.feedback), 1))
    assert got.features.shape == (3, 8, 2, 3)
    assert (got.forward_uses, got.reverse_uses) == (24, 12)
    # Over a silent return, z is what the receiver got, at unit power.
    pass_one = normalise_power(to_symbols(encoder(first)[:, :4]))
    pass_two = normalise_power(to_symbols(encoder(second)[:, 4:]))
    gain, noise = (each.to(pass_one) for each in (draws.forward.gain, draws.forward.noise))
    received = gain * torch.cat((pass_one, pass_two), 1) + noise / math.sqrt(5.0)
    expected = to_features(normalise_power(received[:, :12]), (4, 2, 3))
    torch.testing.assert_close(got.feedback, expected, rtol=0, atol=1e-5)
    for part, uses in ((slice(0, 4), slice(0, 12)), (slice(4, 8), slice(12, 24))):
        equalised = to_features((received / gain)[:, uses], (4, 2, 3))
        torch.testing.assert_close(got.features[:, part], equalised)


def test_both_passes_meet_one_gain_and_other_noise() -> None:
    exchange = feedback_channel()
    draws = exchange.draw(features("w", 3, 4, 2, 3), torch_rng(1))
    assert draws.forward.gain.shape == (3, 24)
    assert torch.equal(draws.forward.gain, draws.forward.gain[:, :1].expand(-1, 24))
    assert not torch.equal(draws.forward.noise[:, :12], draws.forward.noise[:, 12:])
    assert draws.reverse.gain.shape == (3, 12)


@pytest.mark.parametrize(("fading", "one_gain"), [("awgn", True), ("rayleigh_block", True), ("rayleigh_fast", False)])
def test_channel_slices_meet_one_gain_there_and_back_where_h_stays(fading: Any, one_gain: bool) -> None:
    exchange = ChannelSliceShape(width=2, fading=fading).channel()
    draws = exchange.draw(features("w", 3, 4, 2, 3), torch_rng(1))
    assert torch.equal(draws.reverse.gain, draws.forward.gain[:, :12]) is one_gain
    assert not torch.equal(draws.reverse.noise, draws.forward.noise[:, :12])


def test_the_return_has_its_own_noise() -> None:
    exchange, sent = feedback_channel(), features("w", 200, 4, 2, 3)
    draws = exchange.draw(sent, torch_rng(1))
    esno = torch.full((200,), 5.0)
    quiet, loud = (
        exchange(sent, Recorder(4), esno, torch.full((200,), reverse), draws).feedback for reverse in (1e12, 2.0)
    )
    # N0 = 1/2, half of it per real value.
    noise = (loud - quiet).detach().square()
    assert abs(float(noise.mean()) - 0.25) < 4 * 0.25 * math.sqrt(2 / noise.numel())


def test_gradients_through_the_feedback() -> None:
    exchange, sent = feedback_channel("rayleigh_fast", "rayleigh_block"), features("w", 1, 2, 1, 1)
    draws = exchange.draw(sent, torch_rng(1))
    esno = torch.tensor([5.0], dtype=torch.float64)

    def chain(values: Tensor, weight: Tensor) -> Tensor:
        def encoder(wf: Tensor) -> Tensor:
            return torch.einsum("oi,bihw->bohw", weight, wf)

        received: Tensor = exchange(values, encoder, esno, esno, draws).features
        return received

    assert torch.autograd.gradcheck(chain, (sent.requires_grad_(), features("encoder", 4, 4).requires_grad_()))


def test_an_encoder_of_the_wrong_width() -> None:
    exchange, sent = feedback_channel(), features("w", 1, 4, 2, 2)
    draws: FeedbackDraws = exchange.draw(sent, torch_rng(1))
    with pytest.raises(SimnetError, match=r"channel encoder: got 4 channels; allowed 8, half of them for each pass"):
        exchange(sent, lambda wf: wf[:, :4], torch.ones(1), torch.ones(1), draws)
