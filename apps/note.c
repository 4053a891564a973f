/* SPDX-License-Identifier: Apache-2.0 */
/* One line per frame, the rule first: it is what a reader looks for. Numbers are those of the core, bytes and
 * microseconds, so that they can be compared with the trace. */
#include "note.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
    char *out;
    size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;
    int n;

    if (line->len + 1 >= line->size)
        return;
    va_start(args, format);
    n = vsnprintf(line->out + line->len, line->size - line->len, format, args);
    va_end(args);
    if (n > 0) {
        const size_t room = line->size - line->len - 1;

        line->len += (size_t)n < room ? (size_t)n : room;
    }
}

/* " (sent 31.2 ms before the newest delivered, reo_wnd 27.0 ms)" */
static void add_detail(struct line *line, const nst_tx_note *note)
{
    const char *words = nst_rule_detail(note->rule);
    size_t next = 0;

    if (words == NULL)
        return;
    add(line, " (");
    while (*words != '\0') {
        const size_t plain = strcspn(words, "{");
        const unsigned value = next < 2 ? (unsigned)note->detail[next] : 0;

        add(line, "%.*s", (int)plain, words);
        words += plain;
        if (*words == '\0')
            break;
        if (strncmp(words, "{ms}", 4) == 0)
            add(line, "%u.%u ms", value / 1000, value % 1000 / 100);
        else
            add(line, "%u", value);
        words += strcspn(words, "}") + 1;
        next++;
    }
    add(line, ")");
}

size_t note_text(const nst_tx_note *note, char *out, size_t out_size)
{
    struct line line = {out, out_size, 0};
    const char *rule = nst_rule_text(note->rule);

    if (out_size == 0)
        return 0;
    out[0] = '\0';
    if (rule != NULL && rule[0] != '\0')
        add(&line, "%s", rule);
    add_detail(&line, note);
    if (note->retransmit)
        add(&line, "%sretransmission", line.len ? "; " : "");
    if (note->conn == 0)
        return line.len;
    add(&line, "%sconn %u", line.len ? "; " : "", (unsigned)note->conn);
    if (nst_tcp_state_name(note->state) != NULL)
        add(&line, " %s", nst_tcp_state_name(note->state));
    add(&line, " cwnd %u", (unsigned)note->cwnd);
    if (note->ssthresh >= 0x7fffffffu)
        add(&line, " ssthresh inf");
    else
        add(&line, " ssthresh %u", (unsigned)note->ssthresh);
    add(&line, " flight %u wnd %u rto %u us", (unsigned)note->flight, (unsigned)note->snd_wnd,
        (unsigned)note->rto_us);
    if (note->srtt_us != 0)
        add(&line, " srtt %u us", (unsigned)note->srtt_us);
    return line.len;
}
