/* SPDX-License-Identifier: Apache-2.0 */
/* What every layer of one stack shares: time, randomness, memory pools, counters, traces, readiness. Each layer's context
 * (struct ip, struct udp, struct tcp) points to it; nothing else is shared and nothing is global. */
#ifndef CORE_BASE_BASE_H
#define CORE_BASE_BASE_H

#include <base/arena.h>
#include <base/list.h>
#include <base/page.h>
#include <base/pkt.h>
#include <base/plant.h>
#include <base/rng.h>
#include <base/time.h>
#include <base/wheel.h>
#include <drop.h>
#include <netstack.h>
#include <string.h>
#include <trace.h>

enum { TRACE_RING = 64 }; /* events kept for a panic report; power of two */

enum timer_kind { TIMER_TCP = 1, TIMER_TCP_IDLE, TIMER_TCP_TIME_WAIT, TIMER_FRAG, TIMER_NEIGHBOR, TIMER_PMTU,
                  TIMER_COUNT }; /* wheel_timer.kind */

struct base {
    nst_time now;            /* set once per entry point in stack.c */
    nst_env env;
    struct rng rng;          /* one stream; keys below are drawn from it in nst_new */
    struct sipkey key_demux, key_isn, key_port, key_ipid, key_ts, key_flow, key_cookie;
    struct pages pages;
    struct pkts pkts;
    struct wheel wheel;
    struct list events;      /* sockbases with unreported readiness, oldest first */
    int64_t set[NST_SET_COUNT];
    nst_stats stats;
    nst_trace_event ring[TRACE_RING];
    uint32_t ring_pos;       /* events written so far */
    uint32_t conn_count;     /* connection numbers given out */
    uint64_t hurry;          /* base_may_hurry: xorshift of the seed, never 0 */
#ifdef NST_PLANT
    uint32_t plant;          /* enum plant_id */
#endif
};

/* ---- assertions: our own bugs, never the peer's bytes. Stay on in release. */
_Noreturn void base_panic(const struct base *b, const char *expr, const char *file, int line);
#define nst_assert(b, e) ((e) ? (void)0 : base_panic((b), #e, __FILE_NAME__, __LINE__))
#define nst_require(e) ((e) ? (void)0 : __builtin_trap()) /* in pure leaves that know no base */
#ifndef NST_VERIFY
#define NST_VERIFY 0
#endif
#define nst_verify(b, e) do { if (NST_VERIFY) nst_assert(b, e); } while (0) /* expensive walks */

/* ---- traces and drops */
static inline void trace(struct base *b, enum nst_trace_id id, unsigned rule, uint32_t conn, const uint64_t v[4])
{
    nst_trace_event *e = &b->ring[b->ring_pos++ % TRACE_RING];
    e->t = b->now;
    e->id = (uint16_t)id;
    e->rule = (uint16_t)rule;
    e->conn = conn;
    e->v[0] = v[0]; /* not memcpy: stored by words and loaded by pairs, they would have to go through the cache first */
    e->v[1] = v[1];
    e->v[2] = v[2];
    e->v[3] = v[3];
    if (b->env.trace)
        b->env.trace(b->env.user, e);
}
#define TRACE(b, id, rule, conn, ...) trace((b), NST_EV_##id##_ID, (rule), (conn), (const uint64_t[4]){__VA_ARGS__})
/* Counts and traces; returns false so that a check can end with `return drop(...)`. */
bool drop(struct base *b, enum nst_drop why, int ifx, uint32_t len, uint64_t detail);

/* A short way that has a long one beside it with the same outcome in everything but time may be left out at any time. Builds with
 * NST_VERIFY leave out half of them, by the seed. A planted bug may lie in the long way only. */
static inline bool base_may_hurry(struct base *b)
{
#ifdef NST_PLANT
    if (b->plant != 0)
        return false;
#endif
    if (NST_VERIFY) {
        b->hurry ^= b->hurry << 13;
        b->hurry ^= b->hurry >> 7;
        b->hurry ^= b->hurry << 17;
        return b->hurry % 2 == 0 && b->set[NST_SET_TCP_PREDICTION] != 0;
    }
    return b->set[NST_SET_TCP_PREDICTION] != 0;
}

/* ---- sockets' common head: the first member of every control block an application can hold a handle of */
enum { HANDLE_BITS = 30 /* LIMIT: of an id and of a generation; both and the kind make a handle */,
       HANDLE_MASK = (1 << HANDLE_BITS) - 1 };
enum sock_kind { SOCK_FREE, SOCK_TCP, SOCK_LISTEN, SOCK_UDP, SOCK_PING };

struct sockbase {
    struct list ev_link;  /* in base.events while ev != 0 */
    uint64_t user;        /* the application's cookie */
    uint32_t index;       /* pool id; of a TCP connection its id in tcp.conns (tcp_pcb.c) */
    uint32_t gen;         /* counts reuse of the id; part of the handle */
    uint16_t ev;          /* NST_EV_... raised and not yet reported */
    uint8_t kind;         /* enum sock_kind */
    bool is_attached;     /* the application holds the handle; set by open/accept, cleared by close */
    int32_t error;        /* pending nst_err, positive; 0 = none */
};

void sockbase_raise(struct base *b, struct sockbase *s, unsigned mask); /* no-op unless attached */
void sockbase_detach(struct base *b, struct sockbase *s);               /* drops unreported events; the handle becomes stale */

#endif
