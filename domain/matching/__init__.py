"""Which booked bank lines are which money that is expected, and what is left over."""
