#!/bin/sh
# Instructions per data segment of a bulk transfer through two stacks in memory, counted by callgrind: a regression of the hot path shows
# without a clock. Compared with what is recorded for this compiler, 5 % up or down; a release build on x86-64 only.
#
#   instructions.sh --write      records what is measured
golden=$SRC/tests/cli/instructions.golden
bench=$BUILD/bench/bench_core
skip() {
    echo "SKIP: $*"
    exit 77
}
command -v valgrind >/dev/null || skip "needs valgrind"
[ -x "$bench" ] || skip "no benchmark in this build"
grep -q 'CMAKE_BUILD_TYPE:STRING=Release' "$BUILD/CMakeCache.txt" || skip "counts optimised code only"
grep -Eq 'NST_(SANITIZE:STRING=.+|COVERAGE:BOOL=ON|FUZZ:BOOL=ON)' "$BUILD/CMakeCache.txt" && skip "counts plain code only"
compiler=$("${CC:-cc}" --version | head -n 1 | sed "s/^[^ ]* //" | tr " " "_")-$(uname -m)

# total TURNS ARGS: instructions of the whole program; segments moved go to the file `moved`
total() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" --turns "$@" 2>counted >moved || exit 1
    sed -n 's/.*Collected : *//p' counted
}

status=0
for kind in plain super; do
    args=
    [ $kind = plain ] || args=--superframes
    few=$(total 20 $args) few_moved=$(cat moved)
    many=$(total 80 $args) many_moved=$(cat moved)
    now=$(((many - few) / (many_moved - few_moved)))
    if [ "$1" = --write ]; then
        touch "$golden"
        grep -v "^$compiler $kind " "$golden" >golden.new
        echo "$compiler $kind $now" >>golden.new
        sort golden.new >"$golden"
        continue
    fi
    was=$(sed -n "s/^$compiler $kind //p" "$golden")
    [ -n "$was" ] || skip "nothing is recorded for $compiler ($kind: $now)"
    echo "$kind: $now instructions per segment, recorded $was"
    if [ $((now * 20)) -gt $((was * 21)) ] || [ $((now * 20)) -lt $((was * 19)) ]; then
        echo "FAIL: $kind moved by more than 5 %; if that is meant: tests/cli/instructions.sh --write, and say why"
        status=1
    fi
done
exit $status
