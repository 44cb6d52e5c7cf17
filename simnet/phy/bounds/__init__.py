"""What theory allows a link: capacities, finite-length limits, uncoded error rates and their averages over fading.

Conventions: Es/N0 is linear and called ``esno``, under fading its mean is ``mean_esno``; k_factor is the Rician K,
linear, 0 for Rayleigh; every channel use is complex; rates are in bits per complex channel use. A float gives a float,
an array gives an array of the same shape. The package loads numpy and scipy only.
"""
