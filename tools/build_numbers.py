"""Write the measured numbers of README.md and the pages in docs/ anew, between their marks, from docs/results/*.json.

python tools/build_numbers.py
"""

from __future__ import annotations

from website.numbers import ROOT, filled

for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
    text = page.read_text("utf-8")
    if (drawn := filled(text)) != text:
        page.write_text(drawn, "utf-8")
        print(page.relative_to(ROOT))
