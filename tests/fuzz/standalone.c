/* SPDX-License-Identifier: Apache-2.0
 *
 * standalone.c - drives a fuzz target without libFuzzer, so that every build runs it as an ordinary test.
 *
 *   fuzz_x [--seed N] [--runs N] [--only N] [FILE...]
 *
 * Each FILE is run as it is; then `runs` inputs are made from the seed: random bytes, or a FILE with a few
 * mutations. Input N depends on the seed, on N and on the files alone, so --only N repeats a failure.
 * The runs stop early after about a second of processor time.
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

#define MAX_INPUT 4096u
#define MAX_FILES 512

static struct {
    uint8_t *data;
    size_t size;
} files[MAX_FILES];
static size_t file_count;

static const char *program;
static unsigned long long seed = 1;
static unsigned long long current; /* input that is running, for the report of a crash */

/* splitmix64: one state word, every value of it a good start. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void report(void)
{
    fprintf(stderr, "fuzz: input %llu failed; again with: %s --seed %llu --only %llu\n", current, program,
            seed, current);
}

static void on_signal(int sig)
{
    report(); /* not async-signal-safe, but the process is lost anyway */
    signal(sig, SIG_DFL);
    raise(sig);
}

static void load(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t buf[65536];
    if (f == NULL || file_count == MAX_FILES) {
        fprintf(stderr, "fuzz: cannot take %s\n", path);
        exit(2);
    }
    size_t size = fread(buf, 1, sizeof buf, f);
    fclose(f);
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL)
        exit(2);
    memcpy(copy, buf, size);
    files[file_count].data = copy;
    files[file_count++].size = size;
}

/* The target gets a block of exactly its size, so that a read past the end is seen. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (copy == NULL)
        exit(2);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t make_random(uint64_t *state, uint8_t *out)
{
    size_t size = (size_t)(draw(state) % ((draw(state) & 7) == 0 ? MAX_INPUT : 160u));
    /* Small values are likelier than in uniform bytes: lengths, versions and flags live there. */
    bool small = (draw(state) & 1) != 0;
    for (size_t i = 0; i < size; i++) {
        uint64_t r = draw(state);
        out[i] = (uint8_t)(small && (r & 0x300) != 0 ? r & 7 : r);
    }
    return size;
}

static size_t make_mutation(uint64_t *state, uint8_t *out)
{
    size_t pick = (size_t)(draw(state) % file_count);
    size_t size = files[pick].size < MAX_INPUT ? files[pick].size : MAX_INPUT;
    static const uint8_t edge[] = {0, 1, 0x7f, 0x80, 0xff};
    memcpy(out, files[pick].data, size);
    for (uint64_t n = 1 + draw(state) % 8; n > 0 && size > 0; n--) {
        size_t at = (size_t)(draw(state) % size);
        switch (draw(state) % 5) {
        case 0:
            out[at] ^= (uint8_t)(1u << (draw(state) & 7));
            break;
        case 1:
            out[at] = (uint8_t)draw(state);
            break;
        case 2:
            out[at] = edge[draw(state) % sizeof edge];
            break;
        case 3: /* cut the end off */
            size = at;
            break;
        default: /* take one byte out */
            memmove(out + at, out + at + 1, size - at - 1);
            size--;
        }
    }
    return size;
}

static void run_made(unsigned long long number)
{
    static uint8_t buf[MAX_INPUT];
    uint64_t state = seed * 0xd1342543de82ef95u + number;
    bool mutate = file_count > 0 && (draw(&state) & 3) != 0;
    current = number;
    run(buf, mutate ? make_mutation(&state, buf) : make_random(&state, buf));
}

static unsigned long long number_of(const char *text)
{
    char *end;
    unsigned long long value = text ? strtoull(text, &end, 0) : 0;
    if (text == NULL || *text == '\0' || *end != '\0') {
        fprintf(stderr, "usage: %s [--seed N] [--runs N] [--only N] [FILE...]\n", program);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    unsigned long long runs = 50000, only = 0, done = 0;
    program = argv[0];
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0)
            seed = number_of(argv[++i]);
        else if (strcmp(argv[i], "--runs") == 0)
            runs = number_of(argv[++i]);
        else if (strcmp(argv[i], "--only") == 0)
            only = number_of(argv[++i]);
        else
            load(argv[i]);
    }
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(report);
    else
        signal(SIGSEGV, on_signal);
    signal(SIGABRT, on_signal);

    if (only != 0) {
        run_made(only);
        return 0;
    }
    for (size_t i = 0; i < file_count; i++)
        run(files[i].data, files[i].size);
    clock_t stop = clock() + CLOCKS_PER_SEC;
    while (done < runs && clock() < stop)
        run_made(++done);
    printf("fuzz: %zu files, %llu inputs from seed %llu\n", file_count, done, seed);
    for (size_t i = 0; i < file_count; i++)
        free(files[i].data);
    return 0;
}
