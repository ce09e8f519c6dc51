"""The debit: mandate, attempt, the one taxonomy of outcomes, retry policy."""
