"""Ask a server for its splits and play one episode of one: ``python client.py URL [SPLIT] [INDEX]``."""

import json
import sys
from urllib.request import urlopen

from verienv.adapters.openenv import client


def main(url: str, split: str = "test", index: str = "0") -> None:
    """Play an episode with answers that are typed; an empty line ends it."""
    with urlopen(f"{url}/verienv/splits") as reply:  # noqa: S310 - the user's own server
        print("splits:", ", ".join(each["name"] for each in json.load(reply)))
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
    try:
        main(*sys.argv[1:])
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        print(
            f"client.py URL [SPLIT] [INDEX]: {error}; is a server of examples/openenv running there?", file=sys.stderr
        )
        sys.exit(2)
