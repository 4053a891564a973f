#!/bin/sh
# A planted bug through the command: the failure names a rule and a line that repeats it, is shrunk, and leaves a capture and a script that
# repeat it too; the sound stack passes the same line.
cli=$BUILD/tests/sim/sim_planted_cli plant=ack_ahead
[ -x "$cli" ] || { echo "SKIP: no library with planted bugs in this build"; exit 77; }
rm -rf planted_out && mkdir planted_out || exit 1
"$cli" $plant sim --swarm 3 -q --out=planted_out >planted.out && { echo "FAIL: nothing found"; exit 1; }
cat planted.out
rule=$(sed -n 's/^  shrunk in [0-9]* runs: \([a-z_]*\) .*/\1/p' planted.out | head -n 1)
line=$(sed -n '/^  shrunk/{n;s/^  netstack //p;}' planted.out | head -n 1)
seed=$(echo "$line" | sed 's/.*--seed=\([0-9]*\).*/\1/')
[ -n "$rule" ] && [ -n "$line" ] || { echo "FAIL: no rule or no line that repeats it"; exit 1; }
case $line in *--off=* | *--flows-off=* | *--shift=*) ;; *) echo "FAIL: not shrunk"; exit 1 ;; esac
"$cli" $plant $line -q --out=planted_out >planted.again
grep -q "^seed $seed: $rule " planted.again || { echo "FAIL: the line does not repeat it"; cat planted.again; exit 1; }
"$NETSTACK" $line -q >planted.sound || { echo "FAIL: the sound stack fails too"; cat planted.sound; exit 1; }
printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$cli" $plant >planted.netstack && chmod +x planted.netstack
NETSTACK=./planted.netstack planted_out/swarm-$seed.sh >planted.script
grep -q "^seed $seed: $rule " planted.script || { echo "FAIL: the script does not repeat it"; cat planted.script; exit 1; }
grep -q '^# flow ' planted_out/swarm-$seed.sh || { echo "FAIL: the script does not tell the scenario"; exit 1; }
[ "$(od -An -tx1 -N4 planted_out/swarm-$seed.pcapng | tr -d ' ')" = 0a0d0d0a ] || { echo "FAIL: no capture"; exit 1; }
grep -aq 'host [0-9] sends: ' planted_out/swarm-$seed.pcapng || { echo "FAIL: the capture has no reasons"; exit 1; }
rm -f swarm-*.sh swarm-*.pcapng
