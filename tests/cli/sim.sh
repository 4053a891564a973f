#!/bin/sh
# netstack sim: the table, JSON, CSV, plots, a recording, what is refused, and Ctrl-C.
status=0
fail() {
    echo "FAIL: $*"
    status=1
}
want() { # want FILE PATTERN
    grep -Eq -e "$2" "$1" || fail "no line '$2' in: $(cat "$1")"
}
sim() {
    timeout 60 "$NETSTACK" sim "$@" >sim.out 2>sim.err
    got=$?
}
sim link=10mbit,10ms,loss=0.5% flows=3 cc=reno,cubic,bbr time=5s
[ $got -eq 0 ] || fail "exit status $got: $(cat sim.err)"
want sim.out '^netstack [0-9.]+  sim   pair   link 10mbit,10ms,loss=0.5%   3 flows   seed 0x1$'
want sim.out '^    2  bbr +[0-9]+\.[0-9]{3} Mbit/s .* runs$'
want sim.out '^all .* fairness [01]\.[0-9]{3} \(Jain\)   packets .*loss dropped [0-9]+'
want sim.out '^trace sha256 [0-9a-f]{64}  \(same input'
hash=$(sed -n 's/^trace sha256 \([0-9a-f]*\).*/\1/p' sim.out)

# The same again, as a file and as JSON: the same hash.
cat >sim.scenario <<'SCENE'
# three of them
link  = 10mbit,10ms,loss=0.5%
flows = 3
cc    = reno,cubic,bbr      # in turn
time  = 5s
SCENE
sim sim.scenario --json
want sim.out "\"ev\":\"end\",\"ok\":true.*\"trace_sha256\":\"$hash\"}\$"
[ "$(grep -c '"ev":"flow"' sim.out)" -eq 3 ] || fail "not three flows: $(cat sim.out)"
sim sim.scenario --seed 2 --json
grep -q "$hash" sim.out && fail "another seed gives the same hash"

sim sim.scenario --csv sim.csv
want sim.csv '^t_ns,flow,cwnd_segs,ssthresh_segs,srtt_us,flight_segs,received_bytes,retransmits$'
[ "$(wc -l <sim.csv)" -ge 1200 ] || fail "$(wc -l <sim.csv) lines of CSV"
sim sim.scenario --plot
want sim.out '^congestion window \[segments\]   0 0 reno   1 1 cubic   2 2 bbr$'
sim sim.scenario --plot=svg
want sim.out '^<svg xmlns='
if command -v python3 >/dev/null; then
    python3 -c 'import xml.dom.minidom as m; assert len(m.parse("sim.out").getElementsByTagName("path")) > 20' ||
        fail "the SVG is no XML"
fi

sim link=10mbit,10ms,lose=20 bytes=100k -w sim.pcapng --interface 1
"$NETSTACK" --replay sim.pcapng --as 10.0.0.2 -q >sim.replay 2>&1 || fail "the recording cannot be replayed: $(cat sim.replay)"
grep -aq 'the application closed; conn 1' sim.pcapng || fail "no reasons in the recording"

# refused: line, column, what was expected
sim link=20mbit,los=1%
[ $got -eq 2 ] || fail "exit status $got for a wrong link"
want sim.err "^netstack: sim link=20mbit,los=1%: column 13: 'los': unknown; one of: RATE, DELAY, delay"
want sim.err '^  did you mean loss\?$'
printf 'flows 2\ncc = renu\n' >sim.bad
sim sim.bad
[ $got -eq 4 ] || fail "exit status $got for a wrong file"
want sim.err "^netstack: sim.bad:2:6: 'renu': unknown; one of: reno cubic bbr$"
want sim.err '^  did you mean reno\?$'
printf 'topology = dumbbell\n\nflows = 20000\n' >sim.bad
sim sim.bad
[ $got -eq 4 ] || fail "exit status $got for a file whose lines do not fit together"
want sim.err '^netstack: sim.bad:3:9: 20000 flows need 40000 hosts here; at most 20000$'
sim nowhere
[ $got -eq 3 ] || fail "exit status $got for a missing file"
sim flows=60000
want sim.err 'expected a number, 1..50000$'
sim topology=dumbbell flows=20000
want sim.err '20000 flows need 40000 hosts here; at most 20000$'
sim link=loss=1%
want sim.err 'needs a rate or a delay'
sim --interface 2 -w x.pcapng
want sim.err '^netstack: --interface 2: the hosts are 0\.\.1$'
sim events=5000 time=60s
want sim.out 'ended by the limit of 5000 events'

# Ctrl-C: what there is so far, and 130
timeout 60 "$NETSTACK" sim link=1gbit,10ms time=24h >sim.out 2>sim.err &
pid=$!
sleep 1
kill -INT "$(ps -o pid= --ppid $pid | tr -d ' ' | head -n 1)" 2>/dev/null || kill -INT $pid
wait $pid
got=$?
[ $got -eq 130 ] || fail "exit status $got after SIGINT: $(cat sim.err)"
want sim.out '\(interrupted\)'
want sim.out '^    0  cubic'
exit $status
