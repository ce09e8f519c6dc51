"""What repayment means: pure functions, frozen values, standard library only; no clock, no I/O."""
