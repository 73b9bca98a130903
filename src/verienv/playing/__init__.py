"""Playing in a browser: a person in the policy's place, whose answers are an evaluation's log.

``session.Session`` deals, judges and keeps the log; ``app.serve_session`` shows it (the extra ``pages``).
"""

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
