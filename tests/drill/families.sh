#!/bin/sh
# Every script in IPv4, IPv6 and IPv4-mapped, with no tolerance at all. A script that fixes its family (--ip_version) runs in that one.
status=0
ran=0
for family in ipv4 ipv6 ipv4-mapped-ipv6; do
    list=$(grep -rLE '^[[:blank:]]*--ip_version' --include='*.pkt' "$SRC/tests/drill")
    fixed=$(grep -rlE "^[[:blank:]]*--ip_version=$family( |\$)" --include='*.pkt' "$SRC/tests/drill")
    [ -n "$list$fixed" ] || continue
    # shellcheck disable=SC2086  # file names without blanks
    "$NETSTACK" drill --ip_version=$family --tolerance_usecs=0 --tolerance_percent=0 --strict-end $list $fixed >drill.$family 2>&1 || {
        status=1
        echo "---- $family"
        cat drill.$family
    }
    tail -n 1 drill.$family
    ran=$((ran + 1))
done
[ $ran -eq 3 ] || { echo "FAIL: $ran families ran"; status=1; }
exit $status
