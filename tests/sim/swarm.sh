#!/bin/sh
# 2,000 seeds of the swarm, 200 where sanitizers slow it down: all pass, everything that can be drawn is and happens, and the result does
# not depend on the number of processes.
seeds=2000 again=100 coverage=--coverage
[ "$(basename "$BUILD")" = release ] || seeds=200 again=20 coverage=
"$NETSTACK" sim --swarm $seeds --jobs 2 -q $coverage >swarm.two || { cat swarm.two; exit 1; }
cat swarm.two
"$NETSTACK" sim --swarm $again --jobs 1 -q >swarm.a || { cat swarm.a; exit 1; }
"$NETSTACK" sim --swarm $again --jobs 3 -q >swarm.b || { cat swarm.b; exit 1; }
cmp swarm.a swarm.b || { echo "FAIL: the result depends on the number of processes"; exit 1; }
# Seeds that failed once: what each of them found is mended.
for seed in 9856 22308 24011 50665 61440 36845 64352 80916 99845 47180 54195 45664 45958 76456 99935 100885; do
    "$NETSTACK" sim --swarm 1 --seed=$seed -q >swarm.once || { cat swarm.once; exit 1; }
done
# Ctrl-C: what the seeds that have ended add up to, and 130; the same whoever gets the signal, here the process alone
for jobs in 1 3; do
    timeout 100 "$NETSTACK" sim --swarm 1000000 --jobs $jobs -q >swarm.part &
    pid=$!
    sleep 1
    kill -INT "$(ps -o pid= --ppid $pid | tr -d ' ' | head -n 1)" 2>/dev/null || kill -INT $pid
    wait $pid
    got=$?
    [ $got -eq 130 ] && grep -q '^[1-9][0-9,]* seeds from 1, .*(interrupted: 1,000,000 were asked for)$' swarm.part ||
        { echo "FAIL: exit status $got after SIGINT with --jobs $jobs: $(cat swarm.part)"; exit 1; }
done
"$NETSTACK" sim --swarm 1 --off=nonsense 2>swarm.err && { echo "FAIL: an unknown fault was taken"; exit 1; }
grep -q nonsense swarm.err || { echo "FAIL: the error does not name it"; exit 1; }
