#!/usr/bin/env bash
# Holds the unit of deploy/systemd to systemd's own checks. Needs systemd-analyze (Debian: systemd) and a built
# blackbar, which takes the place of the installed one.
set -euo pipefail
cd "$(dirname "$0")/../.."

blackbar=$(realpath "${BLACKBAR:-${CARGO_TARGET_DIR:-target}/debug/blackbar}" 2>/dev/null || true)
fail() { printf 'systemd.sh: %s\n' "$*" >&2; exit 1; }
command -v systemd-analyze >/dev/null || fail "systemd-analyze is missing; install the package systemd"
[ -x "$blackbar" ] || fail "there is no blackbar; run cargo build, or set BLACKBAR"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "s|/usr/local/bin/blackbar|$blackbar|" deploy/systemd/blackbar.service >"$work/blackbar.service"
said=$(systemd-analyze verify "$work/blackbar.service" 2>&1) || fail "$said"
[ -z "$said" ] || fail "$said"
# In tenths: at most 1.5 of 10.
systemd-analyze security --offline=true --threshold=15 "$work/blackbar.service" | tail -1
