"""The smallest workflow, in a module that imports nothing else.

The workflow sandbox imports a workflow's module a second time. With asyncpg among its imports that
second copy of a C extension crashes the interpreter, so workflows of tests live apart from tests.
"""

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Nap:
    """Sleeps for the days it is given."""

    @workflow.run
    async def run(self, days: int) -> str:
        """Wait, then say so."""
        await workflow.sleep(timedelta(days=days))
        return "rested"
