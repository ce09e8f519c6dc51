"""Every kind of rail that this build can open, by the word that settings name it with."""

from collections.abc import Mapping

from adapters.rails.kind import RailKind
from adapters.rails.simbank.kind import SIMBANK_KIND

KINDS: Mapping[str, RailKind] = {
    "simbank": SIMBANK_KIND,
}
