"""`acquit doctor`: what an installation lacks and what to do next. It looks and changes nothing."""
