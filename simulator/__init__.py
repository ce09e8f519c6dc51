"""A bank and notice providers with faults on demand; imports no other room of the house."""
