#!/bin/sh
# netstack demo: without rights, in a folder of its own, in less than a second (ten are let pass: the machine may be busy), the
# same in every run.
rm -rf demo.dir
mkdir demo.dir && cd demo.dir || exit 1
status=0
fail() {
    echo "FAIL: $*"
    status=1
}
begin=$(date +%s)
timeout 60 "$NETSTACK" demo >out 2>err || fail "exit status $?: $(cat err)"
[ $(($(date +%s) - begin)) -le 10 ] || fail "it took $(($(date +%s) - begin)) s"
grep -Eq '^identical: yes \(sha256 [0-9a-f]{64}\)$' out || fail "not identical: $(tail -n 3 out)"
grep -q '^sequence of flow 0 \[kB\]   x lost   R sent again   . sent$' out || fail "no plot: $(cat out)"
[ "$(grep -c '|' out)" -ge 36 ] || fail "the plot is not there"
hash=$(sed -n 's/^identical: yes (sha256 \(.*\))$/\1/p' out)
timeout 60 "$NETSTACK" demo -q -o again >out2 2>err || fail "-q -o: exit status $?"
grep -q "$hash" out2 || fail "another run gives another hash"
cmp netstack-demo.html again.html || fail "another page"
timeout 60 "$NETSTACK" demo -q -o other --seed 9 >out2
grep -q "$hash" out2 && fail "another seed gives the same hash"

# the page: whole, self-contained, with every event that it tells
page=netstack-demo.html
grep -q "trace sha256 <code>$hash</code>" $page || fail "the page does not name the hash"
grep -Eq '(src|href)=' $page && fail "the page needs something else"
[ "$(grep -c '<tr><td>' $page)" -ge 10 ] || fail "the page tells no events"
grep -q 'RFC 8985' $page || fail "the page names no rule"
if command -v python3 >/dev/null; then
    python3 - $page <<'PYTHON' || fail "the page is not well formed"
import html.parser, sys
class Check(html.parser.HTMLParser):
    stack, void = [], {"meta", "path", "rect"}
    def handle_starttag(self, tag, attrs):
        if tag not in self.void: self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag not in self.void: assert self.stack.pop() == tag, tag
c = Check(); c.feed(open(sys.argv[1], encoding="utf-8").read()); c.close()
assert c.stack == [], c.stack
PYTHON
fi
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --dump-dom "file://$PWD/$page" >dom 2>/dev/null
    grep -q '</svg>' dom || fail "the browser shows no picture"
fi
"$NETSTACK" --replay netstack-demo.pcapng --as 10.0.0.1 -q >replay 2>&1 || fail "the capture cannot be replayed: $(cat replay)"
exit $status
