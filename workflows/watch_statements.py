"""The workflow of every few minutes that looks after statements, and of whoever asks for it."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.statementwatch import StatementWatch, Watched, WatchOrder
    from workflows import names, policies


@workflow.defn(name="WatchStatements")
class WatchStatementsWorkflow:
    """One look at all sources and controls; what it finds is read by workflows of its own."""

    @workflow.run
    async def run(self, order: WatchOrder) -> Watched:
        """Look once; what could not be done is named in the report."""
        return await workflow.execute_activity_method(
            StatementWatch.watch,
            order,
            **policies.on(names.BOOKS, policies.BULK, "look after statements"),
        )
