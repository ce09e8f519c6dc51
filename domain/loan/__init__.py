"""The loan: terms, schedule, waterfall, split, lifecycle, decisions, agenda and closure."""
