"""Health check of a container: exit code 0 when an address answers, whatever it answers."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

WITHIN_S = 3.0


def main(address: str) -> int:
    """Ask once; 0 for any answer below 500, else 1."""
    try:
        with urllib.request.urlopen(address, timeout=WITHIN_S):  # noqa: S310  (ours, by compose)
            return 0
    except urllib.error.HTTPError as answer:
        return int(answer.code >= 500)
    except OSError:
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
