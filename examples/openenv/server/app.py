"""A server for OpenEnv: ``uvicorn server.app:app``, or ``python -m server.app``.

Its settings come from where it is started: VERIENV_ID (verienv/GeneralPoints-L-v0), VERIENV_SETTINGS (a JSON object of
settings of ``gym.make``), VERIENV_EPISODES (of each split, 1000), VERIENV_SESSIONS (64), VERIENV_IDLE (1800 seconds),
HOST and PORT.
"""

import json
import os

import uvicorn

from verienv.adapters.openenv import server

LONGEST = 1_000_000

app = server(
    os.environ.get("VERIENV_ID", "verienv/GeneralPoints-L-v0"),
    int(os.environ.get("VERIENV_EPISODES", "1000")),
    sessions=int(os.environ.get("VERIENV_SESSIONS", "64")),
    idle=float(os.environ.get("VERIENV_IDLE", "1800")),
    longest=LONGEST,
    **json.loads(os.environ.get("VERIENV_SETTINGS", "{}")),
)


def main() -> None:
    """Serve until interrupted."""
    address = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=address[0], port=address[1], ws_max_size=LONGEST)


if __name__ == "__main__":
    main()
