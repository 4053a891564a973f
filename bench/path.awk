# The lines of JSON that bench/path collected as a table: medians (smallest - largest), and the median of the rounds' own ratios.

function keep(row, contender, v) {
    if (!(row in known)) { known[row]; rows[++row_count] = row }
    at[row, contender, value("round")] = v
    list[row, contender, ++count[row, contender]] = v
    if (value("round") > last) last = value("round")
}

function cell(row, contender,    a, n, i, m) {
    n = count[row, contender]
    if (!n) return "-"
    for (i = 1; i <= n; i++) a[i] = list[row, contender, i]
    m = median(a, n)
    return sprintf("%.2f (%.2f - %.2f)", m, a[1], a[n])
}

function ratio(row,    a, n, r, m) {
    for (r = 1; r <= last; r++)
        if (at[row, "netstack", r] > 0 && at[row, "kernel", r] > 0) a[++n] = at[row, "netstack", r] / at[row, "kernel", r]
    if (!n) return "-"
    m = median(a, n)
    return sprintf("%.2f (%.2f - %.2f)", m, a[1], a[n])
}

/"mode":"(to|from)"/ { keep(value("figure") ", Mbit/s", value("contender"), value("bits_per_second") / 1e6) }
/"mode":"flow"/ {
    keep(value("figure") " B p50, ms", value("contender"), value("p50_ns") / 1e6)
    keep(value("figure") " B p99, ms", value("contender"), value("p99_ns") / 1e6)
}

END {
    printf "| %-24s | %-28s | %-28s | %-20s |\n|---|---|---|---|\n", "figure", "netstack", "kernel", "netstack / kernel"
    for (i = 1; i <= row_count; i++)
        printf "| %-24s | %-28s | %-28s | %-20s |\n", rows[i], cell(rows[i], "netstack"), cell(rows[i], "kernel"), ratio(rows[i])
}
