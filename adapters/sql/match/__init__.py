"""The set-based matcher: the passes of `domain.matching` as statements of the books' database."""
