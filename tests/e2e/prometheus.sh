#!/usr/bin/env bash
# Holds metrics, alert rules and dashboard to Prometheus' own checks. Needs promtool (Debian: prometheus)
# and a built blackbar.
set -euo pipefail
cd "$(dirname "$0")/../.."

blackbar=${BLACKBAR:-${CARGO_TARGET_DIR:-target}/debug/blackbar}
fail() { printf 'prometheus.sh: %s\n' "$*" >&2; exit 1; }
command -v promtool >/dev/null || fail "promtool is missing; install the package prometheus"
[ -x "$blackbar" ] || fail "$blackbar is missing; run cargo build, or set BLACKBAR"

work=$(mktemp -d)
pid=
trap 'exec 9>&-; [ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT

# A filter that has done something of each kind that a pipe can do.
mkfifo "$work/in" "$work/messages"
"$blackbar" --metrics 127.0.0.1:0 --log-format json <"$work/in" >"$work/out" 2>"$work/messages" &
pid=$!
exec 9>"$work/in"
read -r said <"$work/messages" || fail "blackbar said nothing"
port=${said##*127.0.0.1:}
port=${port%%[!0-9]*}
printf 'a line\nexport DB_PASSWORD=%s\nblackbar_canary_%s\n' "$(head -c 12 /dev/urandom | base64)" \
  aB3dE6gH9jK2mN5pQ8sT1vW4 >&9

get() {
  exec 8<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' "$1" >&8
  sed '1,/^\r$/d' <&8
  exec 8>&-
}
for _ in $(seq 200); do
  get /metrics >"$work/metrics"
  if grep -q '^blackbar_lines_total 3$' "$work/metrics"; then break; fi
done
grep -q '^blackbar_lines_total 3$' "$work/metrics" || fail "the lines are not counted"
[ "$(get /readyz)" = ok ] || fail "/readyz is not ok"

promtool check metrics <"$work/metrics"
promtool check rules deploy/prometheus/blackbar.rules.yml
promtool test rules tests/e2e/prometheus.rules.test.yml

# What rules and dashboard ask for is there.
for file in deploy/prometheus/blackbar.rules.yml deploy/grafana/blackbar.json; do
  for name in $(grep -o 'blackbar_[a-z_]*[a-z]' "$file" | grep -v '^blackbar_canary' | sort -u); do
    grep -q "^# TYPE ${name%_bucket} " "$work/metrics" || fail "$file asks for $name, which is not served"
  done
done
exec 9>&-
wait "$pid"
pid=
printf 'prometheus.sh: metrics, rules and dashboard are as Prometheus wants them\n'
