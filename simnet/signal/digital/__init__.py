"""Separate source and channel coding: a picture file, an LDPC code and QAM; what they are worth at equal bandwidth.

:mod:`simnet.signal.digital.ladder`: what a codec makes of pictures at all its settings; :mod:`…transport`: what of
a number of bytes arrives; :mod:`…points`: the best of both for each bandwidth, Es/N0 and channel.
"""
