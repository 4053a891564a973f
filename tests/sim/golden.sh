#!/bin/sh
# Golden tables: goodput for 9 sizes of a buffer x 8 rates of loss x 3 congestion controls, completion times of flows of several sizes,
# fairness. A change in behaviour shows as a diff of numbers. When the new ones are right:  tests/sim/golden.sh --write
here=$(cd "$(dirname "$0")" && pwd)
: "${SRC:=$(cd "$here/../.." && pwd)}"
: "${NETSTACK:=$SRC/build/release/netstack}"
case ${BUILD:-release} in # the numbers are the same from every build, but an instrumented one takes minutes for them
*dev | *debug | *coverage | *fuzz)
    echo "SKIP: left to the builds without instruments"
    exit 77
    ;;
esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# table SWEEP COLUMNS FIELD DIVISOR TITLE: a row per combination of all axes but the last, a column per value of the last
table() {
    timeout 200 "$NETSTACK" sim --sweep "$1" >"$dir/cells" || exit 1
    sed -n 's/.*"scenario":"\([^"]*\)".*"'"$3"'":\([0-9]*\),.*/\1|\2/p' "$dir/cells" |
        awk -F'|' -v columns="$2" -v divisor="$4" -v title="$5" '
        NR == 1 { print "# " title }
        { name = $1; gsub(/ = /, "=", name); gsub(/;/, " ", name); row = row sprintf(" %8d", $2 / divisor) }
        NR % columns == 1 || columns == 1 { first = name }
        NR % columns == 0 { print row "   " first " .."; row = "" }'
}
cat >"$dir/goodput.sweep" <<'SWEEP'
cc = {reno|cubic|bbr}
time = 5s
link = 10mbit,20ms,queue={5|10|20|40|80|160|320|640|1280},loss={0%|0.01%|0.03%|0.1%|0.3%|1%|3%|5%}
SWEEP
cat >"$dir/completion.sweep" <<'SWEEP'
cc = {reno|cubic|bbr}
link = 20mbit,{10ms|40ms},queue=50,loss={0%|0.5%|2%}
bytes = {10k|30k|100k|300k|1M|3M}
SWEEP
cat >"$dir/fairness.sweep" <<'SWEEP'
topology = dumbbell
link = 20mbit,20ms,queue={20|70|200},aqm={tail|codel|red}
flows = 4
time = 10s
start = 500ms
cc = {reno|cubic|bbr|reno,cubic|cubic,bbr}
SWEEP
table "$dir/goodput.sweep" 8 bits_per_second 1000 "goodput in kbit/s; columns: loss 0, 0.01, 0.03, 0.1, 0.3, 1, 3, 5 %" >"$dir/goodput.txt"
table "$dir/completion.sweep" 6 slowest_ns 1000 "completion in us; columns: 10k, 30k, 100k, 300k, 1M, 3M bytes" >"$dir/completion.txt"
table "$dir/fairness.sweep" 5 fairness_ppm 1000 "Jain's index / 1000; columns: reno, cubic, bbr, reno+cubic, cubic+bbr" >"$dir/fairness.txt"

status=0
for name in goodput completion fairness; do
    if [ "$1" = --write ]; then
        mkdir -p "$here/golden" && cp "$dir/$name.txt" "$here/golden/$name.txt" || exit 1
    elif ! diff -u "$SRC/tests/sim/golden/$name.txt" "$dir/$name.txt"; then
        echo "FAIL: the numbers of $name changed; if they are right: tests/sim/golden.sh --write"
        status=1
    fi
done
exit $status
