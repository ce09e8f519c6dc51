"""Stories: what commands did, as structured events, and in words."""
