/* SPDX-License-Identifier: Apache-2.0 */
/* The trace sink: hashes every event in a fixed form, and keeps state changes until the table shows them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static uint8_t *put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *p++ = (uint8_t)(v >> (8 * i));
    return p;
}

static void hash_event(struct sha256 *s, const nst_trace_event *e)
{
    uint8_t bytes[48], *p = bytes;

    p = put_le(p, e->t, 8);
    p = put_le(p, e->id, 2);
    p = put_le(p, e->rule, 2);
    p = put_le(p, e->conn, 4);
    for (int i = 0; i < 4; i++)
        p = put_le(p, e->v[i], 8);
    sha256_add(s, bytes, sizeof bytes);
}

/* The conversation of a connection, learnt when it first shows up. */
static uint32_t conv_of_conn(struct replay *r, uint32_t conn)
{
    if (conn >= r->conn_room) {
        const uint32_t room = conn < 512 ? 1024 : 2 * conn;
        uint32_t *p = realloc(r->conn_conv, room * sizeof *p);

        if (p == NULL)
            return REPLAY_NONE;
        memset(p + r->conn_room, 0xff, (room - r->conn_room) * sizeof *p); /* REPLAY_NONE */
        r->conn_conv = p;
        r->conn_room = room;
    }
    if (r->conn_conv[conn] == REPLAY_NONE && r->conn_hint != REPLAY_NONE && r->convs[r->conn_hint].tcp != NULL) {
        r->conn_conv[conn] = r->conn_hint;
        r->convs[r->conn_hint].tcp->conn = conn;
    }
    return r->conn_conv[conn];
}

void replay_on_trace(void *user, const nst_trace_event *e)
{
    struct replay *r = user;
    const uint32_t room = sizeof r->states / sizeof r->states[0];
    uint32_t conv;

    hash_event(&r->trace, e);
    if (e->id == NST_TRACE_DROP) {
        r->drops++;
        r->last_drop = e->rule;
    }
    if (e->conn == 0)
        return;
    conv = conv_of_conn(r, e->conn);
    if (e->id != NST_TRACE_TCP_STATE || r->is_muted)
        return;
    if (conv != REPLAY_NONE && r->convs[conv].tcp->conn == e->conn)
        r->convs[conv].tcp->state = (uint8_t)e->v[1];
    if (r->state_count == room) { /* nobody showed them: the oldest is given up */
        memmove(r->states, r->states + 1, (room - 1) * sizeof r->states[0]);
        r->state_count--;
    }
    r->states[r->state_count].conn = e->conn;
    r->states[r->state_count].from = (uint8_t)e->v[0];
    r->states[r->state_count++].to = (uint8_t)e->v[1];
}

void replay_state_text(struct replay *r, struct conv *c, char *out, size_t size)
{
    uint32_t kept = 0;
    size_t len = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < r->state_count; i++) {
        const char *from = nst_tcp_state_name(r->states[i].from), *to = nst_tcp_state_name(r->states[i].to);

        if (c == NULL || c->tcp == NULL || r->states[i].conn != c->tcp->conn) {
            r->states[kept++] = r->states[i];
            continue;
        }
        if (from == NULL || to == NULL)
            continue;
        if (len == 0)
            len = (size_t)snprintf(out, size, "%s", from);
        if (len < size)
            len += (size_t)snprintf(out + len, size - len, " → %s", to);
    }
    r->state_count = kept;
}
