#!/usr/bin/env bash
# Runs the configurations of deploy/rsyslog with Debian's rsyslogd on loopback: messages through omprog and
# blackbar, which is killed in between, and the clean tree of `blackbar tail` through imfile. Needs rsyslogd,
# python3 and a built blackbar.
set -euo pipefail
cd "$(dirname "$0")/../.."

blackbar=$(realpath "${BLACKBAR:-${CARGO_TARGET_DIR:-target}/debug/blackbar}" 2>/dev/null || true)
fail() { printf 'rsyslog.sh: %s\n' "$*" >&2; exit 1; }
for program in rsyslogd python3; do
  command -v "$program" >/dev/null || fail "$program is missing; install the package ${program%d}"
done
[ -x "$blackbar" ] || fail "there is no blackbar; run cargo build, or set BLACKBAR"

work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
mkdir -p "$work/clean" "$work/spool" "$work/logs" "$work/tree" "$work/state"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_true() {
  for _ in $(seq 600); do
    if "$@"; then return; fi
    sleep 0.1
  done
  return 1
}
has() { [ "$(grep -sE "$2" "$1" | wc -l)" -ge "$3" ]; }
numbers() { grep -osE 'number [0-9]+ ' "$1" | sort -u | wc -l; }
has_all() { [ "$(numbers "$1")" -eq "$2" ]; }
secret="$(head -c 18 /dev/urandom | base64 | tr -d '+/=')x7Q"

start() {
  rsyslogd -N1 -f "$work/$1.conf" >"$work/$1.check" 2>&1 || { cat "$work/$1.check"; fail "$1.conf is not valid"; }
  rsyslogd -n -i "$work/$1.pid" -f "$work/$1.conf" >"$work/$1.log" 2>&1 &
  pids+=($!)
}

omprog() {
  # A TCP input, and the configuration as it is but for its paths.
  port=$(free_port)
  sed -e "s|/usr/local/bin/blackbar|$blackbar|" -e "s|/var/log/clean|$work/clean|" \
    -e 's|resumeInterval="5"|resumeInterval="1"|' deploy/rsyslog/blackbar-omprog.conf >"$work/60-blackbar.conf"
  cat >"$work/omprog.conf" <<CONF
global(workDirectory="$work/spool")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="$port")
include(file="$work/60-blackbar.conf")
CONF
  start omprog
  send() { printf '%s\n' "$1" >&7; }
  connect() { { exec 7<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; }
  until_true connect || fail "rsyslogd does not listen"
  for n in $(seq 400); do
    send "<13>Nov 27 02:00:00 host app: number $n password=$secret"
    if [ "$n" -eq 150 ] || [ "$n" -eq 300 ]; then
      until_true has "$work/clean/syslog" 'number 1 ' 1 || fail "nothing comes out of omprog"
      until_true pkill -KILL -P "${pids[0]}" || fail "there is no blackbar to be killed"
    fi
  done
  exec 7>&-
  until_true has_all "$work/clean/syslog" 400 || fail "only $(numbers "$work/clean/syslog") of 400 messages came"
  has "$work/clean/syslog" 'host app: number [0-9]+ password=\[REDACTED:generic-password\]$' 400 || fail "not masked"
  kill "${pids[0]}" && wait "${pids[0]}" || true
  pids=()
  if grep -rqF "$secret" "$work/clean" "$work/omprog.log"; then fail "the secret is in what omprog wrote"; fi
  printf 'rsyslog.sh: omprog: 400 of 400 messages, %s of them twice, after two kills\n' \
    "$(($(grep -c 'number' "$work/clean/syslog") - 400))"
}

imfile() {
  # rsyslog reads the clean tree while blackbar writes it, and forwards it.
  port=$(free_port)
  python3 - "$port" "$work/received" <<'PY' &
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
connection, _ = listener.accept()
with open(sys.argv[2], "wb", buffering=0) as received:
    while data := connection.recv(65536):
        received.write(data)
PY
  pids+=($!)
  sed -e "s|/var/lib/blackbar/clean/var/log/app|$work/tree$work/logs|" -e "s|6514|$port|" -e 's|resumeInterval="5"|resumeInterval="1"|' \
    deploy/rsyslog/blackbar-imfile.conf >"$work/50-clean.conf"
  printf 'global(workDirectory="%s")\ninclude(file="%s")\n' "$work/spool" "$work/50-clean.conf" >"$work/imfile.conf"
  "$blackbar" tail "$work/logs" --out "$work/tree" --state "$work/state" --quiet 2>"$work/tail.log" &
  tail=$!
  pids+=("$tail")
  start imfile
  for n in $(seq 200); do
    printf 'number %s password=%s\n' "$n" "$secret" >>"$work/logs/app.log"
    if [ "$n" -eq 100 ]; then mv "$work/logs/app.log" "$work/logs/app.log.1"; fi
  done
  until_true has_all "$work/received" 200 || fail "only $(numbers "$work/received") of 200 lines came: $(cat "$work/tail.log")"
  has "$work/received" 'app\.log.* number [0-9]+ password=\[REDACTED:generic-password\]$' 200 || fail "not masked"
  kill "$tail" && wait "$tail" || fail "tail did not end well"
  if grep -rqF "$secret" "$work/received" "$work/tree" "$work/state"; then fail "the secret has left the folder of logs"; fi
  printf 'rsyslog.sh: imfile: 200 of 200 lines over a rotation\n'
}

if [ $# -eq 0 ]; then set -- omprog imfile; fi
for part; do
  case $part in
    omprog | imfile) "$part" ;;
    *) fail "there are omprog and imfile" ;;
  esac
done
