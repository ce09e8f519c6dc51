"""What the simulator's direct-debit bank can do and when."""

from datetime import time

from domain.debit.rail import RailProfile

SIMBANK = RailProfile(
    name="simbank",
    timezone="Asia/Shanghai",
    calendar="CN",
    opens=time(7),
    closes=time(22),
    # Orders taken up to closing are executed the same day.
    cut_off=time(22),
    every_day=True,
    # One (merchant, order number) is taken once; a repeat is answered from what is stored.
    idempotent=True,
)
