"""Ask a server for its splits and play one episode of one: ``python client.py URL [SPLIT] [INDEX]``."""

import json
import sys
from urllib.request import urlopen

from verienv.adapters.openenv import client

USAGE = "client.py URL [SPLIT] [INDEX]"
SECONDS = 30


def main(url: str, split: str = "test", index: str = "0") -> None:
    """Play an episode with answers that are typed; an empty line ends it."""
    with urlopen(f"{url}/verienv/splits", timeout=SECONDS) as reply:  # noqa: S310 - the user's own server
        splits = [each["name"] for each in json.load(reply)]
    print("splits:", ", ".join(splits), flush=True)
    if split not in splits or not index.isdecimal():
        raise ValueError(f"SPLIT {split!r}, INDEX {index!r}: expected one of these splits, and a number from 0")
    with client(url).sync() as there:
        told = there.reset(split=split, index=int(index))
        while not told.done:
            content = told.observation["messages"][-1]["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            print(*(part.get("text", "(a picture)") for part in parts), sep="\n")
            if not (response := input("> ")):
                return
            told = there.step({"response": response})
        print(told.reward, told.observation["metadata"])


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        print(f"expected {USAGE}", file=sys.stderr)
        sys.exit(2)
    try:
        main(*sys.argv[1:])
    except (EOFError, KeyboardInterrupt):
        print()
    except OSError as error:
        print(f"{USAGE}: {error}; is a server of examples/openenv running there?", file=sys.stderr)
        sys.exit(2)
    except (ImportError, LookupError, RuntimeError, TypeError, ValueError) as error:
        print(f"{USAGE}: {error}", file=sys.stderr)
        sys.exit(2)
