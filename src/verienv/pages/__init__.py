"""Pages for a browser on this machine, behind one guard: the extra ``pages`` (FastAPI, uvicorn).

``server.serve`` serves an application of FastAPI on 127.0.0.1; ``html.Page`` is a page with its
Content-Security-Policy; ``guard.Guard`` refuses whatever does not come from that page.
"""

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
