# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of docs/: each is listed, and the picture of the demo's fleet shows what demo/ has."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import yaml
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def test_every_page_is_listed() -> None:
    listed = re.findall(r"\]\((\w+\.md)\)", (ROOT / "docs/README.md").read_text(encoding="utf-8"))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert sorted(listed) == sorted(there)


def test_the_readme_has_every_plugin_and_role() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = ("plugins/connection", "plugins/filter", "plugins/inventory", "plugins/modules", "roles")
    there = {path.stem for folder in folders for path in (ROOT / folder).iterdir() if path.name[0] not in "_."}
    assert not [name for name in sorted(there) if f"`{name}`" not in readme]


def test_the_fleet_in_the_picture_is_the_demo() -> None:
    hosts = yaml.safe_load((ROOT / "demo/inventory.yml").read_text())["all"]["children"]["rump_kernels"]["hosts"]
    picture = ElementTree.parse(ROOT / "docs/fleet.svg").getroot()
    drawn = {group.get("id"): [text.text for text in group.iter(f"{SVG}text")] for group in picture.iter(f"{SVG}g")}
    assert drawn.keys() == {"controller", "bus", *hosts}
    (play,) = yaml.safe_load((ROOT / "demo/site.yml").read_text())
    tasks = {name: task[name] for task in play["tasks"] for name in task if name.startswith("rumpkernel.")}
    mount = tasks["rumpkernel.rump.rump_mount"]
    files = [task["rumpkernel.rump.rump_file"] for task in play["tasks"] if "rumpkernel.rump.rump_file" in task]
    for name, variables in hosts.items():
        socket = variables.get("ansible_rump_server", "").rpartition("/")[2]
        address = tasks["rumpkernel.rump.rump_ifconfig"]["addresses"][0].replace("{{ unit }}", str(variables["unit"]))
        for text in (
            name,
            f"unix://…/{socket}" if socket else f"tcp://{variables['ansible_host']}:PORT",
            f"kern.hostname = {name}",
            f"net.inet.ip.forwarding = {int(variables.get('forwarding', False))}",
            f"shmif0 {address}",
            f"{mount['path']}: {mount['fstype']}, 8 MB",
            *(file["path"] for file in files if file["state"] == "touch"),
            *(f"{file['path']} → {file['src']}" for file in files if file["state"] == "link"),
        ):
            assert text in drawn[name]
