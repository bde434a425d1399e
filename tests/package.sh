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

for type in connection inventory module; do
    files=()
    names=()
    for file in "$installed"/plugins/"$type"{,s}/*.py; do
        name=$(basename "$file" .py)
        if [ -e "$file" ] && [ "$name" != __init__ ]; then
            files+=("$file")
            names+=("rumpkernel.rump.$name")
        fi
    done
    if [ "${#files[@]}" -eq 0 ]; then
        echo "no plugin was found in the installed collection: $type" >&2
        exit 1
    fi
    # All at once, since each start takes a while. Each text begins with its file's name.
    text=$(ansible-doc -t "$type" "${names[@]}")
    for file in "${files[@]}"; do
        case $text in
            *"$file"*) echo "documented: $type rumpkernel.rump.$(basename "$file" .py)" ;;
            *) echo "not documented in the installed collection: $file" >&2 && exit 1 ;;
        esac
    done
done

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
