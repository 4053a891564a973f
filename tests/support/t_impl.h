/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the fixture. */
#ifndef TESTS_SUPPORT_T_IMPL_H
#define TESTS_SUPPORT_T_IMPL_H

#include "t.h"

struct t_log { /* one packet on the wire */
    struct t_log *next;
    nst_time at;
    bool is_sent;   /* by the stack */
    nst_tx_note note;
    uint32_t len;
    uint8_t bytes[];
};

/* t_wire.c */
void t_log_add(struct t *t, bool is_sent, const void *bytes, uint32_t len, const nst_tx_note *note);
void t_log_print(const struct t *t);
void t_log_save(const struct t *t, const char *name);
void t_log_free(struct t *t);

struct t_sent { /* one of our packets, taken apart and checked in itself */
    const struct t_log *log;
    struct wire_tcp h;
    const uint8_t *data;
    uint32_t len;
    bool is_to_peer;
};
void t_dissect(struct t *t, const struct t_log *l, struct t_sent *out);

/* t_run.c */
void t_pump(struct t *t);                /* collects what the stack wants to send now */
void t_take(struct t *t, struct t_sent *s); /* the next unread packet; the peer takes note of it */
void t_note_events(struct t *t);
extern struct t *t_fixtures;             /* of the running test */
extern const char *t_test_name;

#endif
