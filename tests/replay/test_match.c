/* SPDX-License-Identifier: Apache-2.0 */
/* What --verify calls "as recorded" (docs/decisions/005-replay.md), judged on packets of a stack that errs: no capture can
 * make the real one send such packets, so they are handed to the comparison here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"

enum { CLIENT_ISN = 100, SERVER_ISN = 900, OUR_ISN = 5000 };

struct packet {
    uint8_t flags;
    uint32_t at, ack;      /* offsets behind the SYN of either side */
    const char *text;
    uint16_t window;       /* 0 = 1000 */
    bool is_shut, is_cut;  /* window 0; only the first byte was captured */
};

struct fixture {
    struct options opt;
    struct replay r;
    struct conv conv;
    struct tcp_conv tcp;
    uint64_t number;
};

static struct rp_packet describe(const struct packet *p, uint32_t isn, uint32_t other_isn)
{
    const uint32_t len = p->text == NULL ? 0 : (uint32_t)strlen(p->text);
    const bool is_syn = (p->flags & RP_SYN) != 0;

    return (struct rp_packet){.data = (const uint8_t *)(p->text == NULL ? "" : p->text), .len = len, .ip_len = len, .version = 4,
                              .proto = RP_TCP, .has_l4 = true, .flags = p->flags, .header_len = 20,
                              .seq = isn + (is_syn ? 0 : 1 + p->at), .ack = other_isn + 1 + p->ack,
                              .window = p->is_shut ? 0 : p->window == 0 ? 1000 : p->window,
                              .payload_len = len, .payload_cap = p->is_cut && len > 0 ? 1 : len, .wscale = -1};
}

static void peer(struct fixture *f, struct packet p)
{
    const struct rp_packet rp = describe(&p, CLIENT_ISN, SERVER_ISN);

    replay_match_in(&f->r, &f->conv, &rp, ++f->number);
}

static void recorded(struct fixture *f, struct packet p)
{
    const struct rp_packet rp = describe(&p, SERVER_ISN, CLIENT_ISN);

    replay_match_rec(&f->r, &f->conv, &rp, ++f->number);
    replay_note_rec(&f->conv, &rp);
}

static void ours(struct fixture *f, struct packet p)
{
    const struct rp_packet rp = describe(&p, OUR_ISN, CLIENT_ISN);
    const nst_tx_note note = {0};

    replay_match_out(&f->r, &f->conv, &rp, &note);
    replay_note_out(&f->r, &f->conv, &rp);
}

#define PEER(...) peer(f, (struct packet){__VA_ARGS__})
#define RECORDED(...) recorded(f, (struct packet){__VA_ARGS__})
#define OURS(...) ours(f, (struct packet){__VA_ARGS__})
#define BOTH(...) do { OURS(__VA_ARGS__); RECORDED(__VA_ARGS__); } while (0)

/* An open connection on which the peer has sent ten bytes. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    *state = f;
    f->opt = (struct options){.quiet = true, .verify = VERIFY_SEMANTIC};
    f->tcp = (struct tcp_conv){.has_irs = true, .irs = CLIENT_ISN, .has_iss = true, .iss = SERVER_ISN,
                             .has_ours = true, .ours = OUR_ISN, .end = 1000};
    f->conv = (struct conv){.proto = RP_TCP, .is_played = true, .has_replies = true, .tcp = &f->tcp, .number = 1};
    f->conv.rec.first = f->conv.rec.last = f->conv.out.first = f->conv.out.last = REPLAY_NONE;
    f->r = (struct replay){.opt = &f->opt, .convs = &f->conv, .conv_count = 1, .conv_room = 1, .last_drop = -1, .end_t = NST_S(9),
                           .text = stdout, .items = calloc(REPLAY_ITEMS_MAX, sizeof(struct item))};
    assert_non_null(f->r.items);
    PEER(.flags = RP_SYN, .at = 0xffffffffu);
    BOTH(.flags = RP_SYN | RP_ACK);
    PEER(.flags = RP_ACK | RP_PSH, .text = "ten bytes.");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->tcp.late);
    free(f->tcp.ts_map);
    replay_match_free(&f->r);
    free(f);
    return 0;
}

static void expect(struct fixture *f, uint64_t divergences, const char *why)
{
    replay_match_flush(&f->r, true);
    replay_match_streams(&f->r);
    assert_int_equal(f->r.divergences, divergences);
    if (divergences > 0) {
        assert_non_null(f->r.divergence);
        assert_non_null(strstr(f->r.divergence->why, why));
    }
}

static void as_recorded(void **state)
{
    struct fixture *f = *state;

    BOTH(.flags = RP_ACK, .ack = 10);
    BOTH(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    expect(f, 0, NULL);
}

static void other_pieces(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK, .text = "ans"); /* the acknowledgement comes with the second half */
    OURS(.flags = RP_ACK | RP_PSH, .at = 3, .ack = 10, .text = "wer");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    expect(f, 0, NULL);
}

static void other_bytes(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answeR");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    expect(f, 2, "the bytes of this range"); /* the packet, and the stream in the end */
}

static void other_bytes_in_other_pieces(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK, .ack = 10, .text = "ans");
    OURS(.flags = RP_ACK | RP_PSH, .at = 3, .ack = 10, .text = "weR");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    expect(f, 1, "the bytes of this range");
}

static void bytes_that_were_not_captured(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "a.....");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer", .is_cut = true);
    expect(f, 0, NULL);
}

static void other_urgency(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    RECORDED(.flags = RP_ACK | RP_PSH | RP_URG, .ack = 10, .text = "answer");
    expect(f, 1, "urgent");
}

static void acknowledged_more_than_was_sent(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK, .ack = 11);
    RECORDED(.flags = RP_ACK, .ack = 10);
    expect(f, 1, "more than the peer sent");
}

static void data_acknowledges_more_than_was_sent(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK | RP_PSH, .ack = 11, .text = "answer");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    expect(f, 1, "more than the peer sent");
}

static void data_never_acknowledged_what_the_recorded_did(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK | RP_PSH, .text = "answer");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    expect(f, 1, "what arrived in order is acknowledged");
}

static void window_shut(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK, .ack = 10, .is_shut = true);
    RECORDED(.flags = RP_ACK, .ack = 10);
    expect(f, 1, "window");
}

static void window_of_another_size(void **state)
{
    struct fixture *f = *state;

    OURS(.flags = RP_ACK, .ack = 10, .window = 2000);
    RECORDED(.flags = RP_ACK, .ack = 10);
    OURS(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer");
    RECORDED(.flags = RP_ACK | RP_PSH, .ack = 10, .text = "answer", .is_shut = true);
    expect(f, 0, NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(as_recorded), T(other_pieces), T(other_bytes), T(other_bytes_in_other_pieces), T(bytes_that_were_not_captured),
        T(other_urgency), T(acknowledged_more_than_was_sent), T(data_acknowledges_more_than_was_sent),
        T(data_never_acknowledged_what_the_recorded_did), T(window_shut), T(window_of_another_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
