"""How Sphinx makes pages of docs/*.md: `make docs`."""

project = "coalmine"
author = "The coalmine authors"
project_copyright = author

extensions = ["myst_parser"]
exclude_patterns = ["schema"]
html_theme = "furo"
html_title = "coalmine"

myst_heading_anchors = 3  # Links to headings are written as in any Markdown: page.md#a-heading.
