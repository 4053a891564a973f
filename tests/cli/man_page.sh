#!/bin/sh
# The man page and --help name the same long options, and the page is well formed.
page=$SRC/docs/netstack.1
status=0
options() {
    # -> the long options in a text, one a line; pcap-filter(7) and words with inner dashes are none
    grep -oE '(^|[^[:alnum:]-])--[a-z][a-z-]*' | grep -oE -e '--[a-z-]+' | sort -u
}
[ -x "$NETSTACK" ] || { echo "FAIL: $NETSTACK is not built"; exit 1; }
"$NETSTACK" --help | options >man_page.help
# Only the OPTIONS part, with roff's escapes undone.
sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$page" | sed 's/\\f[A-Z]//g; s/\\-/-/g' | options >man_page.page
[ "$(wc -l <man_page.page)" -ge 20 ] || { echo "FAIL: the man page lists hardly any option"; status=1; }
for option in $(cat man_page.help); do
    grep -qxe "$option" man_page.page || { echo "FAIL: docs/netstack.1 lacks $option"; status=1; }
done
for option in $(cat man_page.page); do
    grep -qxe "$option" man_page.help || { echo "FAIL: --help lacks $option"; status=1; }
done
if command -v man >/dev/null; then
    warnings=$(MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)
    [ -z "$warnings" ] || { echo "FAIL: $warnings"; status=1; }
fi
exit $status
