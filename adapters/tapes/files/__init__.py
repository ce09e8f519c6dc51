"""Reads the files of a tape: rows, cells, maps and histories."""
