"""Where banks' statement files come from, by bank: implementations of `ports.statementsource`."""
