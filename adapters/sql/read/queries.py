"""Every reader on one database, as a process opens them."""

from adapters.sql.read.consolequeries import SqlConsoleQueries
from adapters.sql.read.driverqueries import SqlDriverQueries
from adapters.sql.read.ledgerqueries import SqlLedgerQueries
from adapters.sql.read.payoutqueries import SqlPayoutQueries
from adapters.sql.read.sweepqueries import SqlSweepQueries
from adapters.sql.read.unclosedqueries import SqlUnclosedQueries


class SqlQueries(
    SqlDriverQueries,
    SqlSweepQueries,
    SqlConsoleQueries,
    SqlLedgerQueries,
    SqlPayoutQueries,
    SqlUnclosedQueries,
):
    """All six ports of reading; whoever is given it names the one that it needs."""
