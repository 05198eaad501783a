# Sends all that this shell writes from here on through blackbar. To be sourced, by sh or bash.
#
# The shell waits for the filters when it exits. `exec > >(blackbar)` alone does not: the job ends
# before the last lines are written, and they are lost.
if [ -z "${BLACKBAR_FILTER_PID:-}" ]; then
  # A job without its filter must not run as if it had one.
  command -v blackbar >/dev/null || { echo "blackbar: not found, so this job does not run" >&2; exit 125; }
  BLACKBAR_DIR=$(mktemp -d) && mkfifo "$BLACKBAR_DIR/out" "$BLACKBAR_DIR/err" || exit 125
  blackbar redact --secret-env=default <"$BLACKBAR_DIR/out" & BLACKBAR_PID_OUT=$!
  blackbar redact --secret-env=default <"$BLACKBAR_DIR/err" >&2 & BLACKBAR_PID_ERR=$!
  exec >"$BLACKBAR_DIR/out" 2>"$BLACKBAR_DIR/err"
  rm -rf "$BLACKBAR_DIR"
  BLACKBAR_FILTER_PID=$$
  blackbar_end() {
    BLACKBAR_CODE=$?
    # The filters end when nobody has their inputs open.
    exec >/dev/null 2>&1
    # Somebody who was left behind and holds the output does not hold the job.
    (sleep "${BLACKBAR_DRAIN_TIMEOUT:-5}"; kill "$BLACKBAR_PID_OUT" "$BLACKBAR_PID_ERR") &
    BLACKBAR_TIMER=$!
    # A filter that has failed must not look like success.
    wait "$BLACKBAR_PID_OUT" || BLACKBAR_CODE=${BLACKBAR_CODE#0}
    wait "$BLACKBAR_PID_ERR" || BLACKBAR_CODE=${BLACKBAR_CODE#0}
    kill "$BLACKBAR_TIMER"
    exit "${BLACKBAR_CODE:-125}"
  }
  trap blackbar_end EXIT
fi
