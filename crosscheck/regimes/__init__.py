"""Regimes: the kinds of input where arithmetic goes wrong, and how problems of each are made from bits."""

from crosscheck.regimes.definitions import REGIMES, Regime, classify, regime_counts

__all__ = ["REGIMES", "Regime", "classify", "regime_counts"]
