"""The tests need no network: a model that is not in the cache is an error at once, not after minutes of trying."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
