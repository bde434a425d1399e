# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's configuration of the documentation site, which docs/site/build.py builds."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes

project = "rumpkernel.rump"
project_copyright = "2026, the rumpkernel.rump authors"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
# The files are all of the repository's: pages link to some that are no pages, which become downloads.
include_patterns = [
    "index.md",
    "*.md",
    "changelogs/README.md",
    "docs/*.md",
    "roles/*/README.md",
    "collection/*.rst",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_heading_anchors = 4

html_theme = "sphinx_rtd_theme"
html_title = project
html_show_sphinx = False
html_copy_source = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
nitpicky = True

# What antsibull-docs refers to in Ansible's own documentation. The addresses are known: nothing is fetched, so that the
# site can be built with no network.
ANSIBLE = "https://docs.ansible.com/ansible/latest"
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
PLUGIN = re.compile(r"ansible_collections\.(?!rumpkernel\.)(\w+)\.(\w+)\.(\w+)$")


def ansible_reference(_app: Any, _env: Any, node: Any, content: nodes.Element) -> nodes.reference | None:
    """Resolve a reference to a label of Ansible's documentation; None for all others, which Sphinx then warns of."""
    target, kind = node["reftarget"], node["reftype"]
    if kind == "ref" and (plugin := PLUGIN.match(target)):
        address = "{}/collections/{}/{}/{}.html".format(ANSIBLE, *plugin.groups())
    elif kind == "ref" and target in LABELS:
        address = f"{ANSIBLE}/{LABELS[target]}"
    elif kind == "envvar" and target.startswith("ANSIBLE_"):
        address = f"{ANSIBLE}/reference_appendices/config.html#envvar-{target}"
    else:
        return None
    return nodes.reference("", "", content, refuri=address, internal=False)


def setup(app: Any) -> None:
    """Register what the above defines."""
    app.connect("missing-reference", ansible_reference)
