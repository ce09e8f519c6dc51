"""What is read from the books: queries, stories, figures, verification, the archive."""
