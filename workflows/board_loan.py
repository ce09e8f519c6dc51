"""The workflow that boards a loan from upstream; the books then start its drivers."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.boarding import BoardActivities, Boarded
    from ports.boarding import LoanApplication
    from workflows import names, policies
    from workflows.inbox import reads_or_fails


# RuntimeError: what the SDK raises when it cannot decode; only for a start with several arguments,
# one of them broken. Any sender can cause it, so it must end the workflow, not stop its task.
@workflow.defn(name="BoardLoan", failure_exception_types=[RuntimeError])
class BoardLoanWorkflow:
    """Boards one loan. Started again with the same application it answers the same."""

    @workflow.run
    @reads_or_fails
    async def run(self, application: LoanApplication) -> Boarded:
        """Board it.

        Raises:
            ApplicationError: `InvalidInput` (field, value, rule), `Conflict` or `Refused`.
        """
        try:
            return await workflow.execute_activity_method(
                BoardActivities.board,
                application,
                **policies.on(names.BOOKS, policies.STEADY, f"board {application.loan_id[:80]}"),
            )
        except ActivityError as failed:
            # The sender reads the reason, not that an activity stood in between.
            reason = failed.cause
            if isinstance(reason, ApplicationError):
                raise reason from reason.cause
            raise
