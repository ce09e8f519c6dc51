"""What a loan costs: schedules, day counts, interest, APR, penalty, payoff, ceilings."""
