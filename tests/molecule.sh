#!/usr/bin/env bash
# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs molecule's scenarios from a fresh clone of this checkout's last commit: the one on simulated kernels always, the
# one on real ones where there is a rump_server.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git clone --quiet --no-hardlinks "$root" "$work/clone"
cd "$work/clone"
export ANSIBLE_NOCOLOR=1 NO_COLOR=1

scenarios=(default)
if [ -n "${RUMP_SERVER_BIN:-}" ] || command -v rump_server >/dev/null; then
    scenarios+=(real)
else
    echo "no rump_server: the scenario real is left out"
fi
for scenario in "${scenarios[@]}"; do
    # Sockets have short paths only, so that their folder is not left to molecule.
    MOLECULE_EPHEMERAL_DIRECTORY=$work/$scenario molecule test --scenario-name "$scenario"
    if [ -e "$work/$scenario/run" ] || [ -e "$work/$scenario/lib" ]; then
        echo "the scenario $scenario left something behind: $(find "$work/$scenario")" >&2
        exit 1
    fi
done
