#!/bin/sh
# curl loads the page about the stack, by IPv4 and IPv6; a large body is byte-exact; odd requests get their status.
. "$SRC/tests/live/lib.sh"
command -v curl >/dev/null || skip "needs curl"
start_stack
peer pattern 1000000 >want
for host in 10.0.0.2 '[fd00::2]'; do
    get="timeout 8 curl -sS -g -m 6 http://$host"
    $get/ >page || fail "$host/"
    expect '^<h1>netstack [0-9.]+</h1>$' page
    expect '<td>ESTABLISHED<td>' page               # the very connection that carries the page
    expect '<td>tcp_passive_opens<td class=n>[1-9]' page
    $get/stats.json >page && expect '^\{"v":1,"ev":"stats",.*"drops":\{' page
    $get/bytes/1000000 >got && cmp want got || fail "$host: other bytes than the pattern"
    [ "$($get/none -o page -w '%{http_code}')" = 404 ] || fail "404"
    [ "$($get/ -o page -w '%{http_code}' -X POST)" = 405 ] || fail "405"
    $get/ -I >page && expect '^HTTP/1.1 200 OK' page
    [ "$($get/ -o page -w '%{http_code}' -H "X: $(head -c 9000 /dev/zero | tr '\0' x)")" = 431 ] || fail "431"
done
stop_stack
expect '^conn   \[fd00::2\]:80 < \[fd00::1\]:[0-9]+ ' stack.out
