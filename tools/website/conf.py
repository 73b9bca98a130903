"""Sphinx's configuration of the site; tools/build_site.py gathers its sources."""

from typing import Any

from verienv import __version__
from website.docstrings import as_rst

project = "verienv"
copyright = "the verienv maintainers; MIT licence"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
myst_enable_extensions = []
suppress_warnings = []
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
html_theme = "furo"
html_title = "verienv"
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"sidebar_hide_name": False}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
napoleon_custom_sections = [("Attributes", "params_style")]
exclude_patterns = ["files/**"]


def _docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = as_rst(lines, "The whole of it is on the page of its environment.")
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")  # else napoleon takes the words before a colon for a type


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", _docstring, priority=100)
