/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 864 over TCP: lines of 72 printable characters, each beginning one further, until the peer closes;
 * what it sends is thrown away. There is no UDP chargen: it answers small packets with large ones to
 * whoever the source address names. */
#include "svc.h"

#include <string.h>

enum { LINE = 74, PRINTABLE = 95, PERIOD = LINE * PRINTABLE };

/* Every byte of one period, and as many again so that a copy never wraps within a period. */
static const uint8_t *pattern_table(void)
{
    static uint8_t table[2 * PERIOD];

    if (table[0] == 0) {
        for (unsigned i = 0; i < 2 * PERIOD; i++) {
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

static enum svc_verdict step(struct svc_host *h, struct svc_conn *c)
{
    uint8_t *buffer = svc_scratch(h);
    size_t sent = 0;
    bool must_wait = true;

    for (size_t taken = 0; taken < SVC_BUDGET;) {
        const nst_ssize n = svc_recv(h, c, buffer, SVC_BUDGET);

        if (n == 0)
            return SVC_CLOSE;
        if (n < 0 && n != -NST_EAGAIN)
            return svc_fail(c, n);
        if (n < 0)
            break;
        taken += (size_t)n;
        must_wait = taken < SVC_BUDGET;
    }
    while (sent < SVC_BUDGET) {
        const size_t want = SVC_BUDGET - sent < PERIOD ? SVC_BUDGET - sent : PERIOD;
        nst_ssize n;

        svc_chargen_pattern(c->bytes_out, buffer, want);
        n = svc_send(h, c, buffer, want);
        if (n == -NST_EAGAIN)
            return must_wait ? SVC_WAIT : SVC_AGAIN;
        if (n < 0)
            return svc_fail(c, n);
        sent += (size_t)n;
    }
    return SVC_AGAIN;
}

const struct svc_ops svc_chargen = {.name = "chargen", .step = step};
