"""Money that came: the payment, and what of it stands in each loan."""
