# The lines of JSON that bench/run collected, as tables: medians, smallest and largest. A ratio is the median
# of the ratios of the rounds: neighbours in time are compared, so a disturbance that lasts hits both.
# a = netstack over TUN, n without offloads, j with MTU 65,535 and without; l, m, k = the limit program likewise; b = kernel to kernel
# over veth, c = the same with veth's offloads off.

function keep(what, contender, number,    key) {
    if (number == "") return
    key = what SUBSEP contender
    list[key, ++count[key]] = number + 0
    at[key, value("round")] = number + 0
}

# The list in order of size goes to a; returns how many there are.
function sorted(what, contender, a,    key, i) {
    key = what SUBSEP contender
    for (i = 1; i <= count[key]; i++) a[i] = list[key, i]
    sort(a, count[key])
    return count[key] + 0
}

function median_of(what, contender,    a, n) {
    n = sorted(what, contender, a)
    return n ? median(a, n) : 0
}

function number(v) {
    return v >= 10000 ? sprintf("%d,%03d", v / 1000, v % 1000) : v >= 100 ? sprintf("%.0f", v) : sprintf("%.2f", v)
}

function cell(what, contender,    a, n) {
    n = sorted(what, contender, a)
    if (!n) return "-"
    return number(median(a, n)) " (" number(a[1]) " - " number(a[n]) ")"
}

function ratio(what, who, other,    i, x, y, key) {
    key = "ratio" who other
    if (!((what SUBSEP key) in count))
        for (i = 1; i <= rounds; i++) {
            x = what SUBSEP who SUBSEP i
            y = what SUBSEP other SUBSEP i
            if ((x in at) && (y in at) && at[y] > 0) keep(what, key, at[x] / at[y])
        }
    return count[what SUBSEP key] ? sprintf("%.2f", median_of(what, key)) : "-"
}

# Contenders of the table at hand: who against two others.
function row(title, what) {
    if (!count[what SUBSEP who]) return
    printf "| %-34s | %-28s | %-28s | %5s | %-28s | %5s |\n", title, cell(what, who), cell(what, x), ratio(what, who, x), cell(what, y),
        ratio(what, who, y)
}

function head(title) {
    printf "\n| %-34s | %-28s | %-28s | %5s | %-28s | %5s |\n", title, names[who], names[x], "ratio", names[y], "ratio"
    print "|---|---|---|---|---|---|"
}

function throughput(title, w, first, second,    i) {
    who = w; x = first; y = second
    head(title)
    for (i = 1; i <= figures; i++) row(order[i] (bulk[order[i]] ? ", Gbit/s" : ", per s"), order[i])
}

/"contender"/ {
    if (value("round") + 0 > rounds) rounds = value("round") + 0
    f = value("figure"); c = value("contender"); ns = value("ns"); gib = value("bytes") / 1073741824
    if (!(f in seen)) { seen[f] = 1; order[++figures] = f }
    bulk[f] = value("per_second") == ""
    keep(f, c, bulk[f] ? value("bits_per_second") / 1e9 : value("per_second"))
    if (!bulk[f]) {
        keep(f "/p50", c, value("p50_ns") / 1000)
        keep(f "/p99", c, value("p99_ns") / 1000)
    }
    work = bulk[f] ? gib : value("ops") / 1000
    scale = bulk[f] ? 1e9 : 1e6                 # seconds per GiB, milliseconds per 1000
    if (work > 0) {
        keep(f "/cpu", c, value("cpu_of_ns") / scale / work)
        keep(f "/machine", c, value("cpu_machine_ns") / scale / work)
        keep(f "/user", c, value("cpu_of_user_ns") / scale / work)
        keep(f "/sys", c, value("cpu_of_sys_ns") / scale / work)
    }
    lost[c] += value("lost")
}

# A goal: the ratio of `what` of `who` to `of` of `other`, round by round.
function goal(fig, title, what, who, of, other, is_most, limit,    i, x, y, key, m) {
    key = "goal" what who other
    for (i = 1; i <= rounds; i++) {
        x = what SUBSEP who SUBSEP i
        y = of SUBSEP other SUBSEP i
        if ((x in at) && (y in at) && at[y] > 0) keep(of, key, at[x] / at[y])
    }
    if (!count[of SUBSEP key]) return
    m = median_of(of, key)
    printf "| %s | %-58s | %6.2f | %s %.2f | %-3s |\n", fig, title, m, is_most ? "<=" : ">=", limit,
        (is_most ? m <= limit : m >= limit) ? "yes" : "no"
}

function least(fig, title, what, who, other, limit) { goal(fig, title, what, who, what, other, 0, limit) }
function most(fig, title, what, who, other, limit) { goal(fig, title, what, who, what, other, 1, limit) }

function goals(    i, f, t) {
    print "\n| figure | what | value | goal | met |\n|---|---|---|---|---|"
    t["bulk_up"] = "bulk up"; t["bulk_down"] = "bulk down"; t["tcp_pingpong"] = "TCP ping-pong"; t["udp_pingpong"] = "UDP ping-pong"
    for (i = 1; i <= split("bulk_up bulk_down", f, " "); i++) {
        least(1, t[f[i]] " / kernel veth", f[i], "a", "b", 1)
        least(1, t[f[i]] " / limit", f[i], "a", "l", 0.85)
    }
    for (i = 1; i <= 2; i++) {
        least(2, t[f[i]] ", no offloads / its limit", f[i], "n", "m", 0.9)
        least(2, t[f[i]] ", no offloads, MTU 65,535 / its limit", f[i], "j", "k", 0.9)
    }
    for (i = 1; i <= split("tcp_pingpong udp_pingpong", f, " "); i++) {
        least(3, t[f[i]] " / kernel veth", f[i], "a", "b", 1.2)
        least(3, t[f[i]] " / limit", f[i], "a", "l", 0.97)
        most(3, t[f[i]] ", p99 / that of the limit", f[i] "/p99", "a", "l", 1.2)
    }
    least(4, "connections, 16 under way / kernel veth", "connect_16", "a", "b", 1.8)
    least(4, "connections, 16 under way / limit", "connect_16", "a", "l", 0.95)
    least(4, "connections, 1 under way / kernel veth", "connect_1", "a", "b", 1)
    least(5, "UDP echo / limit", "udp_flood", "a", "l", 0.95)
    least(5, "UDP echo / kernel veth", "udp_flood", "a", "b", 1.5)
    most(6, "processor time of bulk up / limit", "bulk_up/cpu", "a", "l", 1.15)
    most(6, "processor time of bulk down / limit", "bulk_down/cpu", "a", "l", 1.15)
    goal(7, "100 uploads / one", "bulk_up_100", "a", "bulk_up", "a", 0, 0.8)
    for (i = 1; i <= split("100 1000 10000", f, " "); i++)
        goal(7, f[i] " downloads / one", "bulk_down_" f[i], "a", "bulk_down", "a", 0, 0.8)
    goal(7, "a download beside 10,000 idle connections / alone", "bulk_down_idle", "a", "bulk_down", "a", 0, 0.95)
}

END {
    names["a"] = "netstack"; names["n"] = "netstack --no-offload"; names["j"] = names["n"]
    names["l"] = "limit"; names["m"] = "limit without offloads"; names["k"] = names["m"]
    names["b"] = "kernel, veth"; names["c"] = "kernel, veth, no offloads"
    throughput("with offloads, median (min - max)", "a", "b", "l")
    throughput("without offloads", "n", "m", "c")
    throughput("MTU 65,535 without offloads", "j", "k", "-")
    who = "a"; x = "b"; y = "l"
    head("latency, us")
    for (i = 1; i <= figures; i++) {
        if (bulk[order[i]]) continue
        row(order[i] " p50", order[i] "/p50")
        row(order[i] " p99", order[i] "/p99")
    }
    head("processor time")
    for (i = 1; i <= figures; i++) {
        f = order[i]; u = bulk[f] ? ", s per GiB" : ", us each"
        row(f " server" u, f "/cpu")
        row(f " machine" u, f "/machine")
    }
    print ""
    for (i = 1; i <= figures; i++) {
        f = order[i]; t = median_of(f "/user", "a") + median_of(f "/sys", "a")
        if (t > 0) printf "netstack %-16s %3.0f %% of its processor time in the kernel\n", f, 100 * median_of(f "/sys", "a") / t
    }
    goals()
    for (c in lost) if (lost[c] > 0) print "datagrams lost: " names[c] " " lost[c]
}
