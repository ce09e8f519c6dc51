"""The closure of a loan in words: what changed, and what is."""

from collections.abc import Iterator

from domain.loanclosure.view import ClosureView


class ClosureWords:
    """Implements `domain.kernel.words.Words`."""

    def changes(self, old: ClosureView, new: ClosureView) -> Iterator[str]:
        """What changed between two views that people ask about, each in a few words."""
        for leg, state in new.detail.legs.items():
            if old.detail.legs.get(leg) != state:
                code = new.detail.rejected.get(leg)
                yield f"{_plain(leg)} {_plain(state)}" + (f" ({code})" if code else "")

    def parts(self, view: ClosureView) -> Iterator[str]:
        """What is, in Markdown: state, value date, legs, and what else is missing."""
        detail = view.detail
        yield f"**{view.state}**, nothing owed as of {detail.value_on}"
        for leg, state in detail.legs.items():
            code = detail.rejected.get(leg)
            yield f"{_plain(leg)}: {_plain(state)}" + (f" ({code})" if code else "")
        if others := [name for name in view.missing if name not in detail.legs]:
            yield f"waits for: {', '.join(map(_plain, others))}"

    def summary(self, view: ClosureView) -> str:
        """Which loan is closed."""
        return f"closure of loan {view.labels.loan_id}"


def _plain(word: str) -> str:
    return word.replace("_", " ").lower()


CLOSURE_WORDS = ClosureWords()
