"""Browsing of evaluations and training runs: many logs as one table, filtered, grouped and compared.

``finding.find`` tells what lies at paths, ``collection.Collection`` reads it; ``app.serve`` shows it in a browser (the
extra ``pages``), ``export.exported`` writes it as one file. What a log holds is never imported, opened or made HTML.
"""

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
