"""What a webhook endpoint needs: take a proven report, and return when it is kept."""

from typing import Protocol

from ports.rail import Report


class WebhookIntake(Protocol):
    """Turns reports of rails into commands to the books."""

    async def take(self, rail: str, report: Report) -> None:
        """Book one report; it is safe once this returns: only then the rail is answered "received".

        The same report again has no effect. Any error means that nothing was kept: the rail is
        answered with a server error and delivers again.
        """
        ...
