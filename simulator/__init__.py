"""A bank and notice providers with faults on demand; knows wire formats only, imports no other room."""
