/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and their bytes: one test per rule of Linux's that applications rely on. */
#include "duo.h"

static void data_goes_both_ways(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[64] = {0};
    EQ(px_write(d.h[0], d.fd[0], "hello", 5, NULL), 5);
    EQ(px_write(d.h[1], d.fd[1], "world!", 6, NULL), 6);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 5);
    assert_memory_equal(buf, "hello", 5);
    EQ(px_read(d.h[0], d.fd[0], buf, sizeof buf, NULL), 6);
    assert_memory_equal(buf, "world!", 6);
    EQ(px_read(d.h[0], d.fd[0], buf, sizeof buf, NULL), -PX_EAGAIN);
    duo_end(&d);
}

static void close_is_end_of_file(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 1);
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 0);
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 0);
    EQ(px_close(d.h[1], d.fd[1], NULL), 0);
    EQ(px_close(d.h[1], d.fd[1], NULL), -PX_EBADF);
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(data_goes_both_ways),
        RUN_TEST(close_is_end_of_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
