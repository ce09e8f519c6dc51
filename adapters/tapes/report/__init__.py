"""What a whole tape comes to: good rows, faults, totals and the first days."""
