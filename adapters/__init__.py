"""Outside walls: implementations of the ports."""
