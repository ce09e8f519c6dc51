"""A bank and notice providers with faults on demand; it imports no other package of ours."""
