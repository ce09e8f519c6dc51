"""A loan comes from upstream: validated, committed, and what is near is opened by the books."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.boarding import BoardActivities, Boarded
    from ports.boarding import LoanApplication
    from workflows import names, policies


@workflow.defn(name="BoardLoan")
class BoardLoanWorkflow:
    """Boards one loan. Started again with the same application it answers the same."""

    @workflow.run
    async def run(self, application: LoanApplication) -> Boarded:
        """Board it.

        Raises:
            ApplicationError: `InvalidInput` (field, value, rule), `Conflict` or `Refused`.
        """
        return await workflow.execute_activity_method(
            BoardActivities.board,
            application,
            **policies.on(names.BOOKS, policies.STEADY, f"board {application.loan_id}"),
        )
