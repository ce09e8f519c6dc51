"""Text in the cells of CSV files: nothing that is written is taken for a formula by a spreadsheet.

What a spreadsheet would work out has an apostrophe before it, which is taken off on reading. Text
that begins with apostrophes of its own before such a sign gets one more, so that whatever is
written is read back the same.
"""

import re

# The signs that begin a formula, in narrow and in wide form, also behind spaces; and the control
# characters that some programs leave out before they look for one.
_FORMULA = re.compile("'*\\s*[\\t\\r\\n=+\\-@\uff1d\uff0b\uff0d\uff20]")


def cell_of(text: str) -> str:
    """The cell that stands for a text."""
    return f"'{text}" if _FORMULA.match(text) else text


def text_of(cell: str) -> str:
    """The text that a cell stands for: the inverse of `cell_of`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
