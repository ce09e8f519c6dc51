"""What an attack finds: a broken rule, with what was seen."""


class Finding(AssertionError):
    """A rule of money that the books have broken; `rule` is its stable name."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule
