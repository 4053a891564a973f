/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "replay.h"

struct line {
    char *out;
    size_t len;
};

static void put(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct line *l, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(l->out + l->len, REPLAY_TEXT - l->len, format, args);
    va_end(args);
    if (n > 0)
        l->len += (size_t)n < REPLAY_TEXT - l->len ? (size_t)n : REPLAY_TEXT - l->len - 1;
}

void replay_flags_text(uint8_t flags, char out[8])
{
    static const struct {
        uint8_t flag;
        char letter;
    } table[] = {{RP_FIN, 'F'}, {RP_SYN, 'S'}, {RP_RST, 'R'}, {RP_PSH, 'P'}, {RP_URG, 'U'}, {RP_ACK, '.'}};
    size_t n = 0;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((flags & table[i].flag) != 0)
            out[n++] = table[i].letter;
    if (n == 0)
        out[n++] = '-';
    out[n] = '\0';
}

static void tcp_text(struct line *l, const struct rp_packet *p, uint32_t seq_zero, uint32_t ack_zero)
{
    char flags[8];
    const uint32_t seq = p->seq - seq_zero;

    replay_flags_text(p->flags, flags);
    put(l, "%-3s seq %" PRIu32, flags, seq);
    if (p->payload_len > 0)
        put(l, ":%" PRIu32, seq + p->payload_len);
    if ((p->flags & RP_ACK) != 0)
        put(l, " ack %" PRIu32, p->ack - ack_zero);
    put(l, " win %u", (unsigned)p->window);
    if ((p->flags & RP_SYN) != 0) {
        if (p->mss != 0)
            put(l, " mss %u", (unsigned)p->mss);
        if (p->has_sackok)
            put(l, " sackOK");
        if (p->wscale >= 0)
            put(l, " ws %d", p->wscale);
    }
    for (uint8_t i = 0; i < p->sack_count; i++)
        put(l, "%s%" PRIu32 ":%" PRIu32, i == 0 ? " sack " : ",", p->sack[i].left - ack_zero,
            p->sack[i].right - ack_zero);
}

static void icmp_text(struct line *l, const struct rp_packet *p)
{
    const char *family = p->proto == RP_ICMP4 ? "icmp" : "icmp6";

    if (p->is_echo_request || p->is_echo_reply)
        put(l, "%s echo %s id %u seq %u len %" PRIu32, family, p->is_echo_request ? "request" : "reply",
            (unsigned)p->echo_id, (unsigned)p->echo_seq, p->payload_len);
    else
        put(l, "%s type %u code %u len %" PRIu32, family, (unsigned)p->type, (unsigned)p->code, p->l4_len);
}

void replay_packet_text(const struct rp_packet *p, uint32_t seq_zero, uint32_t ack_zero, char out[REPLAY_TEXT])
{
    struct line l = {out, 0};

    out[0] = '\0';
    if (p->version == 0)
        put(&l, "unreadable, %" PRIu32 " bytes", p->len);
    else if (p->is_frag)
        put(&l, "frag id %" PRIu32 " bytes %" PRIu32 ":%" PRIu32 "%s of protocol %u", p->frag_id, p->frag_offset,
            p->frag_offset + p->l4_len, p->frag_more ? "+" : "", (unsigned)p->proto);
    else if (p->proto == RP_TCP && p->has_l4)
        tcp_text(&l, p, seq_zero, ack_zero);
    else if (p->proto == RP_UDP && p->has_l4)
        put(&l, "udp %u > %u len %" PRIu32, (unsigned)p->sport, (unsigned)p->dport, p->payload_len);
    else if ((p->proto == RP_ICMP4 || p->proto == RP_ICMP6) && p->has_l4)
        icmp_text(&l, p);
    else
        put(&l, "protocol %u len %" PRIu32, (unsigned)p->proto, p->l4_len);
}
