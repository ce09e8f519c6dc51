"""Start the simulator: python -m simulator --db FILE --seed N --profile NAME [...]."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP

from simulator.app import make_app
from simulator.clock import SECOND, BankDays
from simulator.cutting import CuttableProtocol
from simulator.events import EVENTS
from simulator.notices import MailHandler
from simulator.profiles import PROFILES
from simulator.rail.dispatcher import Dispatcher
from simulator.railfile import read_rails
from simulator.store import Store
from simulator.timeline import catch_up
from simulator.world import SETTINGS, Mismatch, World

HOST = "127.0.0.1"


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling, so that SIGTERM ends the program with code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program."""
        yield

    def leave(self) -> None:
        """Stop serving after the answers under way."""
        self.should_exit = True


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--http-port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--db", required=True, help="SQLite file, made where it is absent")
    parser.add_argument("--seed", type=int, help="that of the database, or 1, unless given")
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), help="that of the database, or calm, unless given"
    )
    parser.add_argument(
        "--offset-s", type=float, default=0.0, help="seconds a new database is ahead of the wall"
    )
    parser.add_argument("--ready-file", help="where to write the addresses once ready")
    parser.add_argument("--holidays-file", help="JSON list of days off, or {off: [], work: []}")
    parser.add_argument("--rails", help="TOML file of rails; those of the database unless given")
    for name in SETTINGS:
        parser.add_argument("--" + name.replace("_", "-"))
    return parser.parse_args(argv)


def bank_days(path: str | None) -> BankDays:
    """Read the bank's calendar; raise OSError or ValueError where the file is not one."""
    if path is None:
        return BankDays()
    read = json.loads(Path(path).read_text(encoding="utf-8"))
    lists = {"off": read} if isinstance(read, list) else read
    days = {
        name: frozenset(map(date.fromisoformat, lists.get(name, []))) for name in ("off", "work")
    }
    return BankDays(**days)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=256)


async def tick(world: World) -> None:
    """Keep up with the wall clock while nobody calls."""
    while True:
        catch_up(world)
        await asyncio.sleep(0.5)


async def serve(args: argparse.Namespace, world: World) -> None:
    """Serve HTTP and SMTP until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    http = listen(args.host, args.http_port)
    smtp = await loop.create_server(
        lambda: SMTP(MailHandler(world), hostname="simulator", enable_SMTPUTF8=True, loop=loop),
        sock=listen(args.host, args.smtp_port),
    )
    config = uvicorn.Config(
        make_app(world),
        http=CuttableProtocol,
        lifespan="off",
        log_level="critical",
        access_log=False,
        backlog=256,
        timeout_graceful_shutdown=2,
    )
    server = QuietServer(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.leave)
    background = [asyncio.create_task(tick(world)), asyncio.create_task(Dispatcher(world).run())]
    for task in background:
        task.add_done_callback(lambda _: server.leave())
    serving = asyncio.create_task(server.serve(sockets=[http]))
    announce(args, http.getsockname()[1], smtp.sockets[0].getsockname()[1])
    await serving
    smtp.close()
    for task in background:
        task.cancel()
    ends = await asyncio.gather(*background, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


def announce(args: argparse.Namespace, http_port: int, smtp_port: int) -> None:
    """Print one JSON line with the addresses, and write it to the ready file."""
    ready = {"http": f"http://{args.host}:{http_port}", "smtp": f"{args.host}:{smtp_port}"}
    line = json.dumps(ready)
    if args.ready_file:
        whole = Path(args.ready_file + ".part")
        whole.write_text(line + "\n", encoding="utf-8")
        whole.replace(args.ready_file)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(argv: list[str]) -> int:
    """Run the program; return 2 for a database or calendar that does not fit."""
    args = arguments(argv)
    try:
        store = Store(args.db)
        seed = int(store.get("seed") or 1) if args.seed is None else args.seed
        profile = PROFILES[args.profile or store.get("profile") or "calm"]
        world = World(store, bank_days(args.holidays_file), seed, profile, EVENTS)
        world.open(int(args.offset_s * SECOND))
        rails = {} if args.rails is None else read_rails(args.rails)
    except (Mismatch, OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    with world.db.tx():
        for name, settings in rails.items():
            world.configure_rail(name, settings)
        for name in SETTINGS:
            if getattr(args, name) is not None:
                world.configure(name, getattr(args, name))
    try:
        asyncio.run(serve(args, world))
    finally:
        world.db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
