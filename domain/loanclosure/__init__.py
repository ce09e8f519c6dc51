"""The closure of a loan: who must learn that it is settled, and what proves that they did."""
