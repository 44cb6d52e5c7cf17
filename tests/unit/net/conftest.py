"""Network tests run tiny worlds: one thread, or threads cost more than the work."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
