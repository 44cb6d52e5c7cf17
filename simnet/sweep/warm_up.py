"""Where a run's transient ends: given, or found by MSER-5 on what requests cost and what they got."""

from __future__ import annotations

import numpy as np

from simnet.core.errors import SimnetError
from simnet.report.run_folder import RunFolder
from simnet.statistics.warm_up import BATCH, mser5, unsettled

LEAST_REQUESTS = 2 * BATCH


def warm_up_s(folder: RunFolder, rule: str | float) -> tuple[float, bool]:
    """Time before which requests don't count, and whether MSER-5 saw every series settle.

    MSER-5 looks at two series per arm, in order of the requests' creation: end-to-end bytes and SS (requests of which
    the judge was unsure left out; a series of SS shorter than ten is left out too). The latest end of all is taken, so
    that every arm is judged by the same requests.

    Args:
        folder: a finished run.
        rule: none, mser5 or seconds.

    Raises:
        SimnetError: an arm of fewer than ten requests, on which MSER-5 has nothing to say.
    """
    if rule == "none":
        return 0.0, True
    if rule != "mser5":
        return float(rule), True
    latest_s, settled = 0.0, True
    for code, arm in enumerate(folder.arms):
        requests = folder.requests[folder.requests["arm_code"] == code]
        if len(requests) < LEAST_REQUESTS:
            raise SimnetError(
                f"warm_up mser5: arm {arm} has {len(requests)} requests; allowed at least {LEAST_REQUESTS}: raise "
                "duration_s or the traffic's rate, or give warm_up in seconds"
            )
        for column in ("end_to_end_byte", "ss"):
            judged = requests[requests[column].notna()]
            if len(judged) < LEAST_REQUESTS:
                continue
            series = judged[column].to_numpy(np.float64)
            latest_s = max(latest_s, float(judged["created_s"].iloc[mser5(series)]))
            settled = settled and not unsettled(series)
    return (latest_s if latest_s > float(folder.requests["created_s"].min()) else 0.0), settled
