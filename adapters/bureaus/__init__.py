"""Adapters of credit bureaus and of others who are told about loans."""
