"""What repayment means: pure functions and frozen values, standard library only, no clock, no I/O."""
