"""The direct-debit bank that the simulator plays: profile, wire models, translation, client."""

from adapters.rails.simbank.client import SimbankConfig, SimbankRail
from adapters.rails.simbank.profile import SIMBANK

__all__ = ["SIMBANK", "SimbankConfig", "SimbankRail"]
