#!/bin/sh
# The mutation check: each expected value of each script, changed a little, must make the script fail; at least 98 of 100 do.
# All scripts in the release build (seconds); under sanitizers, which make each fresh stack slow, those about the runner itself.
what=$SRC/tests/drill
case $NETSTACK in
*/release/*) ;;
*) what="$what/runner $what/queue" ;;
esac
# shellcheck disable=SC2086  # two folders
"$NETSTACK" drill --mutate --strict-end --tolerance_usecs=0 --tolerance_percent=0 $what >mutants.out 2>&1
status=$?
tail -n 40 mutants.out
exit $status
