"""The workflow that books one statement file; a refused file is a failure with field and rule."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.statements import BookedFile, StatementActivities, StatementOrder
    from workflows import names, policies


@workflow.defn(name="Statement")
class StatementWorkflow:
    """Reads one kept file; its id is made of the file's hash, so each file is read once."""

    @workflow.run
    async def run(self, order: StatementOrder) -> BookedFile:
        """Survey, then book.

        Raises:
            ApplicationError: `StatementRefused` names field, value, rule and line of the file.
        """
        surveyed = await workflow.execute_activity_method(
            StatementActivities.survey,
            order,
            **policies.on(names.BOOKS, policies.BULK_QUIET, "look through the whole file"),
        )
        lines = surveyed.lines
        found = ", ".join(item.statement_id for item in surveyed.statements[:5])
        workflow.set_current_details(f"{lines} lines in {found}")
        return await workflow.execute_activity_method(
            StatementActivities.book,
            order,
            **policies.on(names.BOOKS, policies.BULK, f"book {lines} lines"),
        )
