"""Certificates of settlement as files: signed JSON, and a PDF that carries it."""
