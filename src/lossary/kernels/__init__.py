"""Fused kernels: vector mathematics for Numba, launchers, and what cannot be generated.

Numba is imported by the modules below this one, when they are used, never by ``import lossary``.
"""
