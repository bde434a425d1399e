#!/usr/bin/env bash
# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the collection, installs it into an empty folder, reads every plugin's documentation from there, and uses it on
# a simulated kernel of its own.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

# Away from the checkout, so that neither its ansible.cfg nor its link can help.
cd "$work"
export ANSIBLE_COLLECTIONS_PATH=$work/collections
ansible-galaxy collection build --output-path "$work" "$root"
ansible-galaxy collection install --offline --no-deps -p "$work/collections" "$work"/rumpkernel-rump-*.tar.gz
installed=$work/collections/ansible_collections/rumpkernel/rump

# What is a checkout's own must not be packed, least of all the virtual environment.
for path in .ansible .ci .collections .git .site .venv ansible.cfg tests/output; do
    if [ -e "$installed/$path" ]; then
        echo "packed, but should not be: $path" >&2
        exit 1
    fi
done

seen=0
for file in "$installed"/plugins/{connection,inventory,modules}/*.py; do
    name=$(basename "$file" .py)
    type=$(basename "$(dirname "$file")")
    if [ ! -e "$file" ] || [ "$name" = __init__ ]; then
        continue
    fi
    text=$(ansible-doc -t "${type%s}" "rumpkernel.rump.$name")
    case $text in
        *"$installed"*) echo "documented: $type rumpkernel.rump.$name" ;;
        *) echo "not found in the installed collection: $type rumpkernel.rump.$name" >&2 && exit 1 ;;
    esac
    seen=$((seen + 1))
done
if [ "$seen" -eq 0 ]; then
    echo "no plugin was found in the installed collection" >&2
    exit 1
fi

# From anywhere, by the full name.
"$installed/bin/rump-simulated" "unix://$work/csock" >"$work/server.log" &
server=$!
for _ in $(seq 100); do
    grep -qs ready "$work/server.log" && break
    sleep 0.1
done
printf 'k1 ansible_connection=rumpkernel.rump.sysproxy ansible_rump_server=unix://%s/csock\n' "$work" >hosts
ansible -i hosts all -m rumpkernel.rump.rump_sysctl -a 'name=kern.hostname value=installed' | tee answer
grep -q 'k1 | CHANGED' answer
