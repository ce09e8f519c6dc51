"""Rows whose cells all begin with a mark, such as the back-tick of WeChat Pay.

Such files quote nothing: a comma or a line break in a remark stands as it is. The marks say where a
cell begins; a row that has another number of cells than its header is put together by them, and
given on as a row that is quoted.
"""

from collections.abc import Iterator

from adapters.statements.csv_map import FileRules

Numbered = tuple[int, str]


class MarkedRows:
    """Lines of a table, each marked row in as many lines as it has, quoted where it needs it.

    Args:
        lines_most: most lines that one row may have.
    """

    def __init__(self, rules: FileRules, lines_most: int) -> None:
        self._delimiter, self._quote, self._most = rules.delimiter, rules.quote, lines_most
        # Without a quote nothing could be given on; of several marks none begins each cell.
        self._mark = rules.take_off if len(rules.take_off) == 1 and rules.quote else ""
        self._width = 0

    def __call__(self, lines: Iterator[Numbered]) -> Iterator[Numbered]:
        """Give the lines with their numbers."""
        if not self._mark:
            yield from lines
            return
        ahead = next(lines, None)
        while ahead is not None:
            number, text = ahead
            if not text.startswith(self._mark):
                if text.strip():
                    self._width = text.count(self._delimiter) + 1
                yield ahead
                ahead = next(lines, None)
                continue
            row, ahead = [ahead], next(lines, None)
            while ahead is not None and self._goes_on(row, ahead):
                row.append(ahead)
                ahead = next(lines, None)
            yield from self._given(number, [one for _, one in row])

    def _goes_on(self, row: list[Numbered], ahead: Numbered) -> bool:
        """Whether a row lacks cells that the next line may hold."""
        has_room = len(row) < self._most and not ahead[1].startswith(self._mark)
        return has_room and len(self._cells([text for _, text in row])) < self._width

    def _cells(self, texts: list[str]) -> list[str]:
        return "\n".join(texts).removeprefix(self._mark).split(self._delimiter + self._mark)

    def _given(self, number: int, texts: list[str]) -> Iterator[Numbered]:
        """The lines of a row, as they are where they read well so or the marks do not help."""
        cells = self._cells(texts)
        is_plain = len(texts) == 1 and texts[0].count(self._delimiter) + 1 == self._width
        if not is_plain and len(cells) == self._width:
            quote = self._quote
            quoted = (f"{quote}{cell.replace(quote, quote * 2)}{quote}" for cell in cells)
            texts = self._delimiter.join(quoted).split("\n")
        yield from enumerate(texts, start=number)
