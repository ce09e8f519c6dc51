"""The command line: `acquit COMMAND`. Every command starts and every error ends here.

Command modules are light: each registers its commands with `register(app)` and imports what is
heavy inside the functions, so that `acquit --help` answers at once.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TextIO

import typer

from cli.output import Commands
from domain.errors import InvalidInput
from workers.reporting import EXIT_CODES, Exit, complain, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.telemetry.redaction import Redactor

COMMANDS = {
    "demo": ("demo",),
    "up": ("up",),
    "board": ("board",),
    "handover": ("handover",),
    "arithmetic.schedule": (),
    "statements": ("statements",),
    "ledger": ("ledger",),
    "story": ("story",),
    "trail": ("trail",),
    "evidence": ("evidence",),
    "lists": ("installments",),
    "caselist": ("cases",),
    "cases": ("case",),
    "payouts": ("payouts", "payout", "remit"),
    "closures": ("closures", "closure"),
    "certificate": ("certificate",),
    "unclosed": ("unclosed",),
    "refunds": ("refunds", "refund"),
    "order": ("order",),
    "match": ("match",),
    "payinstructions": ("payment-instructions",),
    "mandate": ("mandate",),
    "approvals": ("approvals", "approve", "refuse"),
    "persons": ("persons",),
    "keys": ("keys",),
    "accounts": ("accounts",),
    "outbox": ("outbox",),
    "audit": ("audit",),
    "conformance": ("conformance",),
    "threeway": ("threeway",),
    "signoff": ("daily-audit", "signoff"),
    "kpi": ("kpi",),
    "clock": ("clock",),
    "codes": (),
    "worker": ("worker",),
    "api": ("api",),
    "doctor": ("doctor",),
    "heal": ("heal",),
    "release": ("release",),
    "db": ("db",),
}
"""Modules of `cli` in the order of help, each with the commands it is known for: one
that is named there is found without loading the other modules."""

_STANDARD_MOST = 2
"""The standard streams are the files 0, 1 and 2."""
_EPILOG = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in EXIT_CODES.items())


def build(wanted: str | None = None) -> typer.Typer:
    """The command tree: all of it, or only the module that has the command `wanted`."""
    app = typer.Typer(
        name="acquit",
        cls=Commands,
        help="Follow every installment of a loan from its first reminder to the evidence that "
        "releases the debt.",
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        ctx: typer.Context,
        home: Annotated[
            Path | None,
            typer.Option(help="Folder of state; ACQUIT_HOME, else .acquit. Any command takes it."),
        ] = None,
    ) -> None:
        ctx.obj = home

    for name in [name for name in COMMANDS if wanted in COMMANDS[name]] or COMMANDS:
        importlib.import_module(f"cli.{name}").register(app)
    return app


def run(argv: Sequence[str]) -> int:
    """Run one command and give its exit code; every error becomes a message and a code."""
    try:
        build(_command_in(argv))(args=list(argv), prog_name="acquit")
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BaseException as error:  # noqa: BLE001  (the one exit door)
        return _failed(_of_a_word(error, argv), _home_of(argv))
    return Exit.DONE


def main() -> NoReturn:
    """Entry point of the program.

    Leaves with `os._exit` once everything is flushed: native threads of the Temporal SDK may
    outlive the event loop and would turn a clean end into exit code 134.
    """
    open_streams()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader of a pipe has gone: there is nobody left to tell
            code = code or Exit.FAULT
    os._exit(code)


def open_streams() -> None:
    """Make the standard streams usable, however the program was started.

    One that is closed is opened on nothing: the next file that is opened would take its place, and
    what is said would be written there. Text goes out as UTF-8 whatever the locale, and what UTF-8
    cannot carry as escapes.
    """
    while (lowest := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_MOST:
        os.set_inheritable(lowest, True)  # noqa: FBT003  (positional only)
    os.close(lowest)
    sys.stdout = _writer(sys.stdout, 1)
    sys.stderr = _writer(sys.stderr, _STANDARD_MOST)


def _writer(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return stream


def _command_in(argv: Sequence[str]) -> str | None:
    """The first word that is neither an option nor the value of `--home`."""
    for before, word in zip(["", *argv], argv, strict=False):
        if not word.startswith("-") and before != "--home":
            return word
    return None


def _of_a_word(error: BaseException, argv: Sequence[str]) -> BaseException:
    """The mistake in a word that is no text, where that made the error; else the error itself.

    The name of a file may be such a word: only what could not be written is refused.
    """
    if not isinstance(error, UnicodeEncodeError):
        return error
    broken = (word for word in argv if any("\ud800" <= char <= "\udfff" for char in word))
    word = next(broken, None)
    return error if word is None else InvalidInput("argument", word, "text in UTF-8")


def _failed(error: BaseException, home: Path) -> int:
    """Report an error: a mistake by field and rule, an unexpected one by the name of a log file."""
    code = complain(error)
    if code is not Exit.FAULT:
        return code
    redactor = _redactor(home)
    log = home / "logs" / "acquit-errors.log"
    text = redactor.trace(error)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as output:
            output.write(f"acquit {type(error).__name__}\n{text}\n")
        where = f"details in {log}"
    except OSError:
        where = "and its details could not be written"
    summary = redactor.text(str(error), most=200).partition("\n")[0]
    note(f"unexpected error: {type(error).__name__}: {summary}; {where}")
    return code


def _redactor(home: Path) -> Redactor:
    """Masks what must stay out of the error log; knows the secrets as far as they can be read."""
    from adapters.telemetry.redaction import Redactor  # noqa: PLC0415  (only after a fault)
    from workers.settings import load_settings, read_stack, secrets_in  # noqa: PLC0415

    try:
        return Redactor(secrets_in(load_settings(home), read_stack(home)))
    except Exception:  # noqa: BLE001  (already failing: shapes and names of fields will do)
        return Redactor()


def _home_of(argv: Sequence[str]) -> Path:
    """The home as far as it can be read from the words alone, for the error log."""
    from workers.settings import load_settings  # noqa: PLC0415  (only after a fault)

    words = list(argv)
    for index, word in enumerate(words):
        if word == "--home" and index + 1 < len(words):
            return Path(words[index + 1])
        if word.startswith("--home="):
            return Path(word.removeprefix("--home="))
    try:
        return load_settings().home
    except Exception:  # noqa: BLE001  (already failing; the default will do)
        return Path(".acquit")


if __name__ == "__main__":
    main()
