# What the tables share: `awk -f median.awk -f table.awk`.

# The value of a key in a line of JSON, "" when it has none.
function value(key,    place, rest) {
    place = index($0, "\"" key "\":")
    if (!place) return ""
    rest = substr($0, place + length(key) + 3)
    sub(/^"/, "", rest)
    sub(/[",}].*/, "", rest)
    return rest
}

function sort(a, n,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && a[j - 1] > a[j]; j--) { swap = a[j]; a[j] = a[j - 1]; a[j - 1] = swap }
}

function median(a, n) { # and sorts
    sort(a, n)
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
