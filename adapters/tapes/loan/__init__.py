"""One loan: its row and history as the command that boards it."""
