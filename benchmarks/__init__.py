"""What Acquit costs, measured beside something else in one run: `python -m benchmarks NAME`."""
