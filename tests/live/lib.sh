# Sourced by every live test. Runs the test in namespaces of its own (also when it was started by hand), builds
# the kernel's side of the talk, and gives:
#
#   start_stack ARGS...      netstack --tun tun0 in the background, returns once it answers
#   stop_stack [STATUS]      Ctrl-C, and its exit status must be STATUS (0)
#   run_stack ARGS...        netstack --tun tun0 in the foreground; $status, files out and err
#   peer COMMAND...          see peer.c
#   expect TEXT FILE         an extended regular expression that some line of FILE matches
#   fail WHY, skip WHY
: "${SRC:?}" "${BUILD:?}" "${NETSTACK:?}"
if [ -z "${NST_LIVE_NS:-}" ]; then
    NST_LIVE_NS=1
    export NST_LIVE_NS
    exec "$SRC/ci/in-netns" sh "$0" "$@"
fi

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
stack=

fail() {
    echo "FAILED: $*"
    for log in stack.out stack.err out err; do
        [ -s "$log" ] && { echo "-- $log"; tail -n 40 "$log"; }
    done
    exit 1
}

skip() {
    echo "SKIP: $*"
    exit 77
}

expect() {
    grep -Eq -e "$1" "$2" || fail "no line '$1' in $2: $(tail -n 20 "$2")"
}

# A sanitizer or an assertion speaks through stderr.
check_stderr() {
    ! grep -Eq 'Sanitizer|runtime error|internal assertion' "$1" || fail "the program broke: $(cat "$1")"
}

start_stack() {
    rm -f ready
    mkfifo ready
    "$NETSTACK" --tun tun0 --ready-fd 9 "$@" 9>ready >stack.out 2>stack.err </dev/null &
    stack=$!
    [ "$(timeout 10 head -n 1 ready)" = ready ] || fail "the stack did not get ready"
}

stop_stack() {
    kill -INT "$stack" || fail "the stack ended by itself"
    wait "$stack"
    status=$?
    check_stderr stack.err
    [ $status -eq "${1:-0}" ] || fail "exit status $status"
    stack=
}

run_stack() {
    timeout 14 "$NETSTACK" --tun tun0 "$@" >out 2>err </dev/null
    status=$?
    check_stderr err
}

peer_binary=$BUILD/tests/live-peer
if [ ! -x "$peer_binary" ] || [ "$SRC/tests/live/peer.c" -nt "$peer_binary" ]; then
    mkdir -p "$BUILD/tests"
    "${CC:-cc}" -O1 -o "$peer_binary.$$" "$SRC/tests/live/peer.c" && mv "$peer_binary.$$" "$peer_binary" ||
        fail "peer.c does not build"
fi

peer() {
    timeout 14 "$peer_binary" "$@"
}

# serve COMMAND...: a peer in the background that listens when this returns; its words go to peer.out
serve() {
    timeout 14 "$peer_binary" "$@" >peer.out 2>&1 &
    server=$!
    tries=0
    until grep -q '^listening' peer.out; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the server does not listen: $(cat peer.out)"
        sleep 0.05
    done
}
