"""Sphinx's settings for the book; it runs this file, and so finds `extension.py` as a module of viz."""

project = author = "minitensor"
html_title = "minitensor, the book"
extensions = ["myst_nb", "sphinx_copybutton", "viz.book.extension"]
exclude_patterns = ["README.md"]
nitpicky = True

myst_enable_extensions = ["dollarmath", "amsmath", "attrs_block"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no widgets, so nothing to fetch

html_theme = "furo"
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
html_static_path = ["static"]
html_css_files = ["book.css"]
html_math_renderer = "mathml"
html_show_search_summary = False  # it would fetch pages, which a browser forbids in a folder
html_copy_source = False
html_use_index = False  # the reference is one
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
