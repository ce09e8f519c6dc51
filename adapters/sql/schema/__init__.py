"""Tables of the books, their migrations, and who may change what."""
