"""Return codes and retry limits of rails: data files with a source on every row, loaded once."""

from adapters.rails.codes.tables import (
    limits_of,
    load_codes,
    load_limits,
    load_returns,
    products,
    rails,
)

__all__ = ["limits_of", "load_codes", "load_limits", "load_returns", "products", "rails"]
