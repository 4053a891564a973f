# expect.awk: compares what replay delivered with a list of what every stream must deliver.
#   awk -v file=NAME -v role=server|client -f expect.awk EXPECT.tsv OUTPUT.jsonl
# Prints one line per row that does not hold and, last, "N held, N not". Exit 1 when one does not.
# Rows: tcp-equal and tcp-nocksum must be equal; tcp-prefix-rst may end early, since a reset races with the data;
# frag4 and frag6 are datagrams that must have been reassembled.
function field(name, text) {
    if (match(text, "\"" name "\":\"[^\"]*\"")) return substr(text, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
    if (match(text, "\"" name "\":-?[0-9]+")) return substr(text, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
    return ""
}
function port(endpoint) { sub(/.*:/, "", endpoint); return endpoint }

FNR == 1 { input++ }
input == 1 {
    if ($0 ~ /^#/ || split($0, f, "\t") < 10 || f[1] != file) next
    n++
    kind[n] = f[2]
    if (f[2] ~ /^frag/) { want[n] = f[9]; bytes[n] = f[8]; next }
    mine = role == "server" ? 8 : 10            # the direction that the played side receives
    bytes[n] = f[mine]; want[n] = f[mine + 1]
    key[n] = port(f[3]) " " port(f[4]) " " f[5] " " f[6]
    next
}
/"ev":"conn"/ {
    us = port(field("local", $0)); peer = port(field("peer", $0))
    irs = field("irs", $0); iss = field("iss_recorded", $0)
    k = role == "server" ? peer " " us " " irs " " iss : us " " peer " " iss " " irs
    got[k] = field("sha256_in", $0); len[k] = field("bytes_in", $0) + 0
}
/"ev":"datagram"/ { seen[field("sha256", $0)]++ }
/"ev":"end"/ { ended = 1 }
END {
    for (i = 1; i <= n; i++) {
        if (kind[i] ~ /^frag/) {
            ok = role == "client" || seen[want[i]] > 0
            what = "datagram of " bytes[i] " bytes"
        } else {
            ok = key[i] in got && (got[key[i]] == want[i] || (kind[i] == "tcp-prefix-rst" && (len[key[i]] < bytes[i] || bytes[i] == 0)))
            what = "stream " key[i] ": " (key[i] in got ? len[key[i]] : "no connection,") " of " bytes[i] " bytes"
        }
        held += ok; lost += !ok
        if (!ok) print file " as " role ": " kind[i] " " what
    }
    if (!ended) { print file " as " role ": no end of the report"; lost++ }
    print held + 0 " held, " lost + 0 " not"
    exit lost > 0
}
