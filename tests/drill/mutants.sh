#!/bin/sh
# The mutation check: each expected value of each script, changed a little, must make the script fail; at least 98 of 100 do.
"$NETSTACK" drill --mutate --strict-end --tolerance_usecs=0 --tolerance_percent=0 "$SRC/tests/drill" >mutants.out 2>&1
status=$?
tail -n 40 mutants.out
exit $status
