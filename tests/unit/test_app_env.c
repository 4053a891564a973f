/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the programs: the seed is the same everywhere, memory is zero, a panic says everything
 * and exits with 70; the run loop keeps time and wakes for what it was told; notes put the rule first. */
#define _DEFAULT_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/host_env.h"
#include "apps/note.h"
#include "core/trace.h"
#include "apps/svc.h"
#include "drivers/runloop.h"

static void seed_is_expanded(void **state)
{
    /* SplitMix64 with state 1234567, from its reference: 6457827717110365317, 3203168211198807973, ... */
    static const uint64_t want[4] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                     4593380528125082431u};
    nst_env env;

    (void)state;
    host_env_init(&env, 1234567);
    for (int i = 0; i < 32; i++)
        assert_int_equal(env.seed[i], (uint8_t)(want[i / 8] >> (8 * (i % 8))));
    assert_null(env.trace);
    assert_null(env.datagram);
}

static void memory_is_zero(void **state)
{
    nst_env env;
    uint8_t *p;

    (void)state;
    host_env_init(&env, 1);
    p = env.alloc(env.user, 1 << 20);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t i = 0; i < 1 << 20; i++)
        assert_int_equal(p[i], 0);
    memset(p, 1, 1 << 20);
    env.free(env.user, p, 1 << 20);
    assert_null(env.alloc(env.user, SIZE_MAX / 2));
}

static void panic_says_everything(void **state)
{
    char *const argv[] = {(char[]){"netstack"}, (char[]){"--tun"}, (char[]){"t 0"}, NULL};
    const nst_trace_event events[2] = {{.t = NST_S(2), .id = NST_TRACE_TCP_STATE, .conn = 7},
                                       {.t = NST_S(3), .id = NST_TRACE_DROP, .rule = 1, .v = {1, 2, 3, 4}}};
    const nst_panic_info info = {.expr = "a < b",
                                 .file = "core/x.c",
                                 .line = 42,
                                 .seed_head = 5,
                                 .now = NST_MS(3500),
                                 .last = events,
                                 .last_count = 2};
    char text[2048];
    int pipes[2], status;
    ssize_t n, len = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        nst_env env;

        dup2(pipes[1], STDERR_FILENO);
        host_env_command(3, argv, 0xabc);
        host_env_init(&env, 0xabc);
        env.panic(env.user, &info);
        _exit(0);
    }
    close(pipes[1]);
    while ((n = read(pipes[0], text + len, sizeof text - 1 - (size_t)len)) > 0)
        len += n;
    close(pipes[0]);
    text[len] = '\0';
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 70);
    assert_non_null(strstr(text, "netstack: internal assertion failed: a < b  (core/x.c:42)\n"));
    assert_non_null(strstr(text, "seed 0xabc "));
    assert_non_null(strstr(text, "3.500000000 s"));
    assert_non_null(strstr(text, "conn 7    tcp_state"));
    assert_non_null(strstr(text, "drop         1 2 3 4"));
    assert_non_null(strstr(text, "reproduce with: netstack --tun 't 0' --seed 0xabc\n"));
}

static void notes(void **state)
{
    nst_tx_note note = {.rule = 1,
                        .conn = 3,
                        .cwnd = 14480,
                        .ssthresh = UINT32_MAX,
                        .flight = 1448,
                        .snd_wnd = 65535,
                        .rto_us = 200000,
                        .retransmit = 1};
    const nst_tx_note nothing = {.rule = 0};
    char text[256], want[256], small[10];

    (void)state;
    assert_int_equal(note_text(&nothing, text, sizeof text), 0);
    assert_string_equal(text, "");
    note.state = 4;
    snprintf(want, sizeof want,
             "%s; retransmission; conn 3 %s cwnd 14480 ssthresh inf flight 1448 wnd 65535 rto 200000 us",
             nst_rule_text(1), nst_tcp_state_name(4));
    assert_int_equal(note_text(&note, text, sizeof text), strlen(want));
    assert_string_equal(text, want);
    assert_int_equal(note_text(&note, small, sizeof small), 9);
    assert_memory_equal(small, want, 9);
    assert_int_equal(note_text(&note, small, 1), 0);
    note = (nst_tx_note){.rule = NST_RULE_TCP_RACK, .detail = {31249, 27000}};
    note_text(&note, text, sizeof text);
    assert_non_null(strstr(text, "(sent 31.2 ms before the newest delivered, reo_wnd 27.0 ms)"));
    assert_int_equal(note_text(&note, small, 0), 0);
}

static void loop_waits(void **state)
{
    struct runloop_event ev[RUNLOOP_EVENTS_MAX];
    struct runloop *loop = runloop_open();
    uint32_t signals;
    nst_time t;
    int pipes[2];
    uint64_t a = 0, b = 0;

    (void)state;
    assert_non_null(loop);
    t = runloop_now(loop);
    assert_true(t >= NST_S(1) && t < NST_S(2));
    assert_int_equal(runloop_wait(loop, t + NST_MS(20), ev, &signals), 0);
    assert_true(runloop_now(loop) >= t + NST_MS(20)); /* not before the deadline */
    assert_true(runloop_now(loop) < t + NST_S(5));
    assert_int_equal(runloop_wait(loop, 0, ev, &signals), 0); /* the past: only a look */

    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(runloop_watch(loop, pipes[0], 17, RUNLOOP_IN), 0);
    assert_int_equal(runloop_wait(loop, 0, ev, &signals), 0);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_int_equal(runloop_wait(loop, NST_NEVER, ev, &signals), 1);
    assert_int_equal(ev[0].tag, 17);
    assert_int_equal(ev[0].ready, RUNLOOP_IN);
    assert_int_equal(runloop_watch(loop, pipes[0], 17, 0), 0); /* silent */
    assert_int_equal(runloop_wait(loop, 0, ev, &signals), 0);

    raise(SIGUSR1);
    assert_int_equal(runloop_wait(loop, NST_NEVER, ev, &signals), 0);
    assert_int_equal(signals, RUNLOOP_STATISTICS);
    raise(SIGINT);
    raise(SIGTERM);
    assert_int_equal(runloop_wait(loop, NST_NEVER, ev, &signals), 0);
    assert_int_equal(signals, RUNLOOP_STOP);
    assert_true(runloop_epoch_ns(loop, t) > UINT64_C(1500000000) * 1000000000);
    assert_int_equal(runloop_epoch_ns(loop, t + 5) - runloop_epoch_ns(loop, t), 5);
    runloop_close(loop);
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(runloop_entropy(&a, sizeof a), 0);
    assert_int_equal(runloop_entropy(&b, sizeof b), 0);
    assert_true(a != b);
}

static void pattern(void **state)
{
    char text[200], all[20000];

    (void)state;
    svc_chargen_pattern(0, text, 148); /* the first lines as RFC 864 shows them, with the blank before "!" */
    assert_memory_equal(text,
                        " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n", 74);
    assert_memory_equal(text + 74, "!\"#$", 4);
    svc_chargen_pattern(0, all, sizeof all);
    for (uint64_t at = 0; at < 14000; at += 997) {
        svc_chargen_pattern(at, text, sizeof text);
        assert_memory_equal(text, all + at, sizeof text);
    }
    assert_memory_equal(all, all + 7030, 7030);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_is_expanded),
        cmocka_unit_test(memory_is_zero),
        cmocka_unit_test(panic_says_everything),
        cmocka_unit_test(notes),
        cmocka_unit_test(loop_waits),
        cmocka_unit_test(pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
