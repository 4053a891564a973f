/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 864 over TCP: lines of 72 printable characters, each beginning one further, until the peer closes;
 * what it sends is thrown away. There is no UDP chargen: it answers small packets with large ones to
 * whoever the source address names. */
#include "svc.h"

#include <string.h>

enum {
    LINE = 74,
    PRINTABLE = 95,
    PERIOD = LINE * PRINTABLE,
    TABLE = PERIOD + SVC_BUDGET,
    STEP_MAX = 64 * SVC_BUDGET, /* nothing is copied */
    UNSENT_BITS = 27,           /* what all connections together keep ready to be sent: 128 MiB, but */
    UNSENT_MOST = 20,           /* ... 1 MiB each: enough for a turn */
    UNSENT_LEAST = 16,          /* ... 64 KiB each: a superframe */
};

/* One period, and as much again as a step sends: what begins anywhere in the first period goes on for a whole budget. */
static const uint8_t *pattern_table(void)
{
    static uint8_t table[TABLE];

    if (table[0] == 0) {
        for (unsigned i = 0; i < TABLE; i++) {
            const unsigned line = i / LINE, column = i % LINE;

            table[i] = column == 72   ? '\r'
                       : column == 73 ? '\n'
                                      : (uint8_t)(' ' + (line + column) % PRINTABLE);
        }
    }
    return table;
}

void svc_chargen_pattern(uint64_t offset, void *out, size_t len)
{
    const uint8_t *table = pattern_table();
    uint8_t *p = out;

    while (len > 0) {
        const size_t n = len < PERIOD ? len : PERIOD;

        memcpy(p, table + offset % PERIOD, n);
        p += n;
        offset += n;
        len -= n;
    }
}

/* The source never ends, so what waits to be sent serves only to be there when its turn comes: the more sources, the less of it. */
static void limit_unsent(struct svc_host *h, struct svc_conn *c)
{
    uint8_t bits = UNSENT_MOST;
    int32_t bytes;

    while (bits > UNSENT_LEAST && svc_count(h, c->ops) >> (UNSENT_BITS - bits) != 0)
        bits--;
    if (c->phase == bits)
        return;
    c->phase = bits;
    bytes = 1 << bits;
    nst_ctl(svc_stack(h), c->sock, NST_TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static enum svc_verdict step(struct svc_host *h, struct svc_conn *c)
{
    size_t sent = 0;
    bool must_wait = true;

    limit_unsent(h, c);
    for (size_t taken = 0; taken < SVC_BUDGET;) {
        const nst_ssize n = svc_skip(h, c, SVC_BUDGET);

        if (n == 0)
            return SVC_CLOSE;
        if (n < 0 && n != -NST_EAGAIN)
            return svc_fail(c, n);
        if (n < 0)
            break;
        taken += (size_t)n;
        must_wait = taken < SVC_BUDGET;
    }
    while (sent < STEP_MAX) {
        const nst_ssize n = svc_send_constant(h, c, pattern_table() + c->bytes_out % PERIOD, SVC_BUDGET);

        if (n == -NST_EAGAIN)
            return must_wait ? SVC_WAIT : SVC_AGAIN;
        if (n < 0)
            return svc_fail(c, n);
        sent += (size_t)n;
    }
    return SVC_AGAIN;
}

const struct svc_ops svc_chargen = {.name = "chargen", .step = step};
