"""The number format of the integer decoder."""

LLR_STEP = 0.25
"""LLR of one step; the largest is 127 steps. Steps of 1/3 to 1/6 lose equally few codewords."""
LARGEST = 127
LARGEST_REPLY = 42
"""A third of that bounds what checks are told. Were their messages larger, saturated posteriors less these messages
would shrink from one iteration to the next, and a codeword that had been found would be lost again (at 63 for α above
7/8)."""
ALPHA_STEPS = 16
"""The factor α is in sixteenths."""
