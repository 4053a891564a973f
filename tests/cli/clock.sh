#!/bin/sh
# Only drivers/runloop.c asks the operating system for time or entropy: everything else is reproducible.
found=$(cd "$SRC" && grep -nE \
    '\<(clock_gettime|gettimeofday|time|clock|getrandom|getentropy|rand|srand|random|arc4random|timespec_get) *\(' \
    core/*.c core/*/*.c drivers/*.c sim/*.c apps/*.c 2>/dev/null | grep -v '^drivers/runloop\.c:' |
    grep -vE ':[0-9]+: *(/?\*|//)|/\*.*\<(time|clock|random) *\(.*\*/')
[ -z "$found" ] || { echo "FAIL: asks for time or entropy:"; echo "$found"; exit 1; }
grep -q 'clock_gettime *(' "$SRC/drivers/runloop.c" || { echo "FAIL: the search finds nothing at all"; exit 1; }
