#!/bin/sh
# netstack sim --sweep: every cell once, in parts and in one go the same, and an interrupted one goes on.
rm -rf sweep.dir
mkdir sweep.dir && cd sweep.dir || exit 1
status=0
fail() {
    echo "FAIL: $*"
    status=1
}
cat >cells <<'SCENE'
# 2 x 3 x 2 cells {this is a comment|and no axis}
link = 10mbit,{5ms|20ms},loss={0%|0.1%|1%}
cc = {reno|cubic}
bytes = 200k
SCENE
sweep() { timeout 100 "$NETSTACK" sim --sweep cells "$@"; }
sweep >all || fail "exit status $?"
[ "$(wc -l <all)" -eq 12 ] || fail "$(wc -l <all) cells"
for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
    grep -q "\"cell\":$i,\"of\":12,.*\"done\":1,.*\"bytes_received\":200000," all || fail "cell $i"
done
grep -q '"cell":3,.*"scenario":"link = 10mbit,5ms,loss=0.1%;cc = cubic;bytes = 200k",' all || fail "cell 3 is another one: $(sed -n 4p all)"
[ "$(sed 's/.*sha256//' all | sort -u | wc -l)" -ge 6 ] || fail "cells do not differ"

# an array of jobs, then one more that finds nothing to do
for part in 0-4 5 6-11; do sweep --cells $part -o parts || fail "--cells $part"; done
cmp all parts || fail "parts are not the whole"
sweep -o parts && cmp all parts || fail "done cells were done again"

# cut in the middle of a line, and a cell missing before
sed 2d all | head -c 2500 >cut
sweep -o cut || fail "does not go on"
sort -u cut | grep '}$' | sort >a && sort all >b && cmp a b || fail "not every cell is there: $(wc -l <a)"

printf 'link = 10mbit,{5ms|20ms\n' >bad
timeout 10 "$NETSTACK" sim --sweep bad >out 2>err
[ $? -eq 4 ] && grep -q '^netstack: bad:1:15: this group does not end in its line$' err || fail "a group without end: $(cat err)"
printf 'cc = {reno|foo}\nbytes=1k\n' >bad
timeout 10 "$NETSTACK" sim --sweep bad >out 2>err
[ $? -eq 4 ] && grep -q "^netstack: bad:1:6: cell 1: 'foo': unknown; one of: reno cubic bbr$" err || fail "a wrong choice: $(cat err)"
sweep --cells 5-12 >out 2>err
[ $? -eq 2 ] && grep -q -e '--cells 5-12: FIRST-LAST or one number of 0..11 was expected' err || fail "cells that are not there: $(cat err)"

# Ctrl-C: the lines of the cells that had ended, 130; and it goes on from there
printf 'link=10mbit,5ms\ncc = {reno|cubic}\nbytes={100k|100k|999999M}\ntime = 24h\n' >long
timeout 60 "$NETSTACK" sim --sweep long >out 2>err &
pid=$!
i=0
while [ "$(wc -l <out)" -lt 2 ] && [ $((i += 1)) -lt 300 ]; do sleep 0.1; done
kill -INT "$(ps -o pid= --ppid $pid | tr -d ' ' | head -n 1)" 2>/dev/null || kill -INT $pid
wait $pid
got=$?
[ $got -eq 130 ] && [ "$(grep -c '"done":1,' out)" -eq 2 ] || fail "exit status $got after SIGINT: $(cat out err)"

# the form that docs/sim.md shows for more machines; the one of Slurm is in tests/sim/slurm.sh
if command -v parallel >/dev/null; then
    seq 0 11 | parallel -j2 "$NETSTACK" sim --sweep cells --cells {} -o par.{} || fail "GNU parallel"
    cat par.* | sort >a && cmp a b || fail "GNU parallel gives other results"
fi
exit $status
