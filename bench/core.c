/* SPDX-License-Identifier: Apache-2.0 */
/* core - the core alone: two stacks in one process, frames handed over in memory by one copy, as a device would,
 * with software checksums and the assertions of a release build.
 *
 *   core [--stages] [--seconds T] [--json FILE]   a line per figure; JSON lines are appended to FILE. --stages: bulk transfers only
 *   core --turns N [--superframes] [--no-copies]  so many turns of a bulk transfer and nothing else: for callgrind and the like;
 *                                                 prints the segments moved
 *   core --turns N --datagrams [--superframes]    the same for an echo of datagrams of 64 bytes; prints how many came back
 *
 * "No copies": the sender's bytes are borrowed (NST_MSG_BORROW), the receiver looks at one byte of each cache line where it lies. What is
 * left is the copy of the device: superframes are read into the stack's buffers (nst_reserve); plain segments are copied from the frame to
 * their place and summed on the way.
 *
 * Time of the stacks is virtual and moves by TURN_NS per turn; only the stopwatch is real. The pages of an
 * arena are counted with mincore: what a stack has touched is what it costs, not what it has reserved.
 */
#define _DEFAULT_SOURCE
#include <netstack.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, CHUNK = 65536, FRAME = 2048, TURN_NS = 20000, IDLE = 20000, DATAGRAMS = 32 };
enum { SUPER_BATCH = 4, SUPER_FRAME = 65536, LINE = 64 }; /* a batch of superframes that stays in the second cache */
enum { SEND_BUFFER = SUPER_BATCH * SUPER_FRAME }; /* at most: no batch takes more, and what only waits has left the cache when it goes */

struct host {
    nst *n;
    int ifx;
    void *memory;
    size_t size;
    uint64_t frames, data_frames; /* sent; the second in segments */
};

struct frames { /* as a device holds them: contiguous, not the core's */
    uint8_t bytes[SUPER_BATCH * SUPER_FRAME > BATCH * FRAME ? SUPER_BATCH * SUPER_FRAME : BATCH * FRAME];
    nst_rx_frame rx[BATCH];
    size_t n, used;
};

/* Where the time of a bulk transfer goes. */
enum stage { SEND, OUTPUT, COPY, INPUT, RECV, ACK_OUTPUT, ACK_INPUT, STAGES };
static const char *const stage_names[STAGES] = {
    "send", "output", "device_copy", "input", "recv", "ack_output", "ack_input",
};

static FILE *json;
static bool is_lent; /* bulk transfers: the sender's bytes are borrowed, the receiver reads them where they lie */
static double budget = 2.0;
static uint32_t offload; /* of the interfaces that are added */

static double seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* One figure: `value` is what JSON gets, the text is for people. */
__attribute__((format(printf, 3, 4))) static void report(const char *figure, double value, const char *format, ...)
{
    va_list ap;

    if (json != NULL)
        fprintf(json, "{\"v\":1,\"core\":\"%s\",\"value_milli\":%lld}\n", figure, (long long)(value * 1000));
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

/* ------------------------------------------------------------------------------------------------ hosts */

static void *env_alloc(void *user, size_t size)
{
    struct host *h = user;

    h->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    h->size = size;
    return h->memory == MAP_FAILED ? NULL : h->memory;
}

static void env_free(void *user, void *m, size_t size)
{
    (void)user;
    munmap(m, size);
}

static void env_panic(void *user, const nst_panic_info *i)
{
    (void)user;
    fprintf(stderr, "%s (%s:%d)\n", i->expr, i->file, i->line);
    abort();
}

static void host_open(struct host *h, int number, const nst_config *cfg)
{
    const nst_env env = {.alloc = env_alloc, .free = env_free, .panic = env_panic, .user = h,
                         .seed = {(uint8_t)number, 42}};
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500, .offload = offload};
    nst_ifaddr addr = {.ip = nst_ip4(10, 0, 0, (uint8_t)number), .prefix = 8};

    memset(h, 0, sizeof *h);
    h->n = nst_new(cfg, &env, 0);
    if (h->n == NULL) {
        fprintf(stderr, "core: out of memory\n");
        exit(1);
    }
    nst_ctl(h->n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    addr.ifx = h->ifx = nif.ifx;
    nst_ctl(h->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &addr, sizeof addr);
}

/* Bytes of the arena in pages that were touched. */
static uint64_t touched(const struct host *h)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (h->size + page - 1) / page;
    unsigned char *map = malloc(pages);
    uint64_t n = 0;

    if (map == NULL || mincore(h->memory, h->size, map) != 0) {
        perror("core: mincore");
        exit(1);
    }
    for (size_t i = 0; i < pages; i++)
        n += map[i] & 1;
    free(map);
    return n * page;
}

/* ---------------------------------------------------------------------------------------------- carrying */

/* To `at`, or where NULL to the frames' own memory. */
static void copy_out(struct frames *to, const nst_tx_frame *tx, uint8_t *at)
{
    uint8_t *const begin = at != NULL ? at : to->bytes + to->used, *p = begin;

    for (uint32_t k = 0; k < tx->niov; k++) {
        memcpy(p, tx->iov[k].base, tx->iov[k].len);
        p += tx->iov[k].len;
    }
    to->rx[to->n] = (nst_rx_frame){.data = begin, .len = tx->len, .wire_len = tx->len, .off = tx->off};
    to->n++;
    to->used += (tx->len + LINE - 1) / LINE * LINE;
}

/* Adds the time since *mark to a stage. */
static void lap(double *stage, double *mark)
{
    if (stage == NULL)
        return;
    const double t = seconds_now();

    *stage += t - *mark;
    *mark = t;
}

/* What `from` has to send now, a batch at most, arrives at `to`. With `stages`: output, copy, input are added. */
static size_t carry_batch(struct host *from, struct host *to, nst_time now, double *stages[3])
{
    static _Thread_local nst_tx_frame tx[BATCH];
    static _Thread_local struct frames f;
    double mark = stages != NULL ? seconds_now() : 0;
    const size_t n = nst_output(from->n, from->ifx, tx, offload != 0 ? SUPER_BATCH : BATCH, now);
    nst_iov at[SUPER_BATCH];
    const size_t reserved = is_lent && offload != 0 ? nst_reserve(to->n, at, n) : 0;

    lap(stages != NULL ? stages[0] : NULL, &mark);
    f.n = f.used = 0;
    for (size_t i = 0; i < n; i++) {
        copy_out(&f, &tx[i], i < reserved && tx[i].len > FRAME ? at[i].base : NULL);
        if (tx[i].off.gso_size != 0)
            from->data_frames += (tx[i].len - tx[i].off.hdr_len + tx[i].off.gso_size - 1) / tx[i].off.gso_size;
        else
            from->data_frames += tx[i].len > 200;
    }
    from->frames += n;
    lap(stages != NULL ? stages[1] : NULL, &mark);
    if (n > 0)
        nst_input(to->n, to->ifx, f.rx, n, now);
    lap(stages != NULL ? stages[2] : NULL, &mark);
    return n;
}

static void carry(struct host *from, struct host *to, nst_time now)
{
    while (carry_batch(from, to, now, NULL) > 0)
        ;
}

static nst_ssize put(struct host *h, nst_sock s, void *data, size_t len, nst_time now)
{
    const nst_iov iov = {data, len};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = is_lent ? NST_MSG_BORROW : 0};

    return nst_send(h->n, s, &m, now);
}

static nst_ssize get(struct host *h, nst_sock s, void *data, size_t len, nst_time now)
{
    const nst_iov iov = {data, len};
    nst_msg m = {.iov = &iov, .niov = 1};

    return nst_recv(h->n, s, &m, now);
}

/* The same without a copy: the bytes are looked at, one in each cache line, where they lie. */
static nst_ssize get_lent(struct host *h, nst_sock s, nst_time now)
{
    nst_iov iov[CHUNK / NST_PAGE_SIZE];
    nst_msg m = {.iov = iov, .niov = CHUNK / NST_PAGE_SIZE, .flags = NST_MSG_PEEK | NST_MSG_BORROW};
    nst_ssize n = nst_recv(h->n, s, &m, now);
    uint8_t sum = 0;

    if (n <= 0)
        return n;
    for (uint32_t i = 0; i < m.niov; i++)
        for (size_t k = 0; k < iov[i].len; k += LINE)
            sum += ((const uint8_t *)iov[i].base)[k];
    __asm__ volatile("" ::"r"(sum)); /* the compiler may not leave it out */
    m.flags = NST_MSG_TRUNC;
    return nst_recv(h->n, s, &m, now);
}

/* ------------------------------------------------------------------------------------------- connections */

struct pair {
    struct host a, b;       /* a connects to b */
    nst_sock listener, s, r;
    nst_time now;
};

static nst_sock listen_on(struct host *h, uint16_t port)
{
    const nst_open_args args = {.kind = NST_TCP_LISTEN, .local = {.port = port}};

    return nst_open(h->n, &args, 0);
}

static void pair_connect(struct pair *p, nst_sock listener, uint16_t port)
{
    const nst_open_args args = {.kind = NST_TCP_CONNECT, .remote = {nst_ip4(10, 0, 0, 2), port}};

    p->s = nst_open(p->a.n, &args, p->now);
    for (int i = 0; i < 3; i++) {
        p->now += TURN_NS;
        carry(&p->a, &p->b, p->now);
        carry(&p->b, &p->a, p->now);
    }
    p->r = nst_accept(p->b.n, listener);
    if (p->s <= 0 || p->r <= 0) {
        fprintf(stderr, "core: no connection: %lld %lld\n", (long long)p->s, (long long)p->r);
        exit(1);
    }
}

static void pair_open(struct pair *p, const nst_config *cfg)
{
    memset(p, 0, sizeof *p);
    p->now = 1000;
    host_open(&p->a, 1, cfg);
    host_open(&p->b, 2, cfg);
    p->listener = listen_on(&p->b, 80);
}

static void pair_free(struct pair *p)
{
    nst_free(p->a.n);
    nst_free(p->b.n);
}

static nst_config default_config(void)
{
    nst_config cfg;

    nst_config_default(&cfg);
    cfg.set[NST_SET_TCP_WMEM_MAX] = SEND_BUFFER;
    return cfg;
}

/* ----------------------------------------------------------------------------------------------- figures */

/* One turn of a bulk transfer: a batch each way. Returns the bytes that the receiver read. */
static uint64_t bulk_turn(struct pair *p, double *stage)
{
    static _Thread_local uint8_t out[CHUNK], in[CHUNK];
    double *there[3] = {stage + OUTPUT, stage + COPY, stage + INPUT};
    double *back[3] = {stage + ACK_OUTPUT, stage + ACK_OUTPUT, stage + ACK_INPUT};
    double mark = stage != NULL ? seconds_now() : 0;
    uint64_t received = 0;
    nst_ssize n;

    p->now += TURN_NS;
    while (put(&p->a, p->s, out, sizeof out, p->now) == CHUNK)
        ;
    lap(stage != NULL ? stage + SEND : NULL, &mark);
    carry_batch(&p->a, &p->b, p->now, stage != NULL ? there : NULL);
    mark = stage != NULL ? seconds_now() : 0;
    while ((n = is_lent ? get_lent(&p->b, p->r, p->now) : get(&p->b, p->r, in, sizeof in, p->now)) > 0)
        received += (uint64_t)n;
    lap(stage != NULL ? stage + RECV : NULL, &mark);
    carry_batch(&p->b, &p->a, p->now, stage != NULL ? back : NULL);
    return received;
}

static void bulk(void)
{
    const nst_config cfg = default_config();
    char figure[64], text[64];
    struct pair p;
    uint64_t received = 0;
    double start, spent;

    pair_open(&p, &cfg);
    pair_connect(&p, p.listener, 80);
    start = seconds_now();
    do {
        for (int turn = 0; turn < 200; turn++)
            received += bulk_turn(&p, NULL);
        spent = seconds_now() - start;
    } while (spent < budget);
    snprintf(figure, sizeof figure, "%s%s_gbit", offload != 0 ? "super" : "bulk", is_lent ? "_lent" : "");
    snprintf(text, sizeof text, "%s%s", offload != 0 ? "superframes" : "bulk, MSS 1448", is_lent ? ", no copies" : "");
    report(figure, (double)received * 8e-9 / spent, "%-25s %8.2f Gbit/s", text, (double)received * 8e-9 / spent);
    snprintf(figure, sizeof figure, "%ssegment%s_ns", offload != 0 ? "super_" : "", is_lent ? "_lent" : "");
    report(figure, spent * 1e9 / (double)p.a.data_frames, "data segment         %8.1f ns        both ends, with their %.3f ACKs",
           spent * 1e9 / (double)p.a.data_frames, (double)p.b.frames / (double)p.a.data_frames);
    pair_free(&p);
}

/* The same with a stopwatch between the calls: about 5 ns per segment more. */
static void stages(void)
{
    const nst_config cfg = default_config();
    double stage[STAGES] = {0}, start;
    struct pair p;

    pair_open(&p, &cfg);
    pair_connect(&p, p.listener, 80);
    start = seconds_now();
    do {
        for (int turn = 0; turn < 200; turn++)
            bulk_turn(&p, stage);
    } while (seconds_now() - start < budget / 2);
    for (int i = 0; i < STAGES; i++) {
        const double ns = stage[i] * 1e9 / (double)p.a.data_frames;
        char figure[64];

        snprintf(figure, sizeof figure, "%sstage%s_%s_ns", offload != 0 ? "super_" : "", is_lent ? "_lent" : "", stage_names[i]);
        report(figure, ns, "  of it %-12s %8.1f ns", stage_names[i], ns);
    }
    pair_free(&p);
}

/* Segments go to the receiver two by two, so that each pair is acknowledged; the ACKs are kept for later. */
static void collect_acks(struct pair *p, struct frames *acks)
{
    nst_tx_frame tx[2], ack[2];
    struct frames data;
    size_t n;

    acks->n = acks->used = 0;
    while (acks->n < BATCH && (n = nst_output(p->a.n, p->a.ifx, tx, 2, p->now)) > 0) {
        data.n = data.used = 0;
        for (size_t i = 0; i < n; i++)
            copy_out(&data, &tx[i], NULL);
        nst_input(p->b.n, p->b.ifx, data.rx, n, p->now);
        n = nst_output(p->b.n, p->b.ifx, ack, 2, p->now);
        for (size_t i = 0; i < n && acks->n < BATCH; i++)
            copy_out(acks, &ack[i], NULL);
    }
}

/* The cost of an ACK of two segments to a sender, recorded beforehand and then taken in under the stopwatch. */
static void acks_in(void)
{
    static uint8_t data[2 * BATCH * 1448];
    static struct frames acks;
    const nst_config cfg = default_config();
    uint64_t count = 0;
    double spent = 0;
    struct pair p;

    pair_open(&p, &cfg);
    pair_connect(&p, p.listener, 80);
    for (const double start = seconds_now(); seconds_now() - start < budget / 2;) {
        double mark;

        p.now += TURN_NS;
        put(&p.a, p.s, data, sizeof data, p.now);
        collect_acks(&p, &acks);
        mark = seconds_now();
        nst_input(p.a.n, p.a.ifx, acks.rx, acks.n, p.now);
        spent += seconds_now() - mark;
        count += acks.n;
        while (get(&p.b, p.r, data, sizeof data, p.now) > 0)
            ;
        carry(&p.a, &p.b, p.now);
        carry(&p.b, &p.a, p.now);
    }
    report("ack_ns", spent * 1e9 / (double)count,
           "ACK taken in         %8.1f ns        each of 2 segments, %d in a batch", spent * 1e9 / (double)count,
           BATCH);
    pair_free(&p);
}

static void rounds(void)
{
    const nst_config cfg = default_config();
    uint8_t buf[64] = {0};
    uint64_t trips = 0;
    double start, spent;
    struct pair p;

    pair_open(&p, &cfg);
    pair_connect(&p, p.listener, 80);
    start = seconds_now();
    do {
        for (int turn = 0; turn < 2000; turn++, trips++) {
            p.now += TURN_NS;
            put(&p.a, p.s, buf, sizeof buf, p.now);
            carry(&p.a, &p.b, p.now);
            get(&p.b, p.r, buf, sizeof buf, p.now);
            put(&p.b, p.r, buf, sizeof buf, p.now);
            carry(&p.b, &p.a, p.now);
            get(&p.a, p.s, buf, sizeof buf, p.now);
        }
        spent = seconds_now() - start;
    } while (spent < budget / 2);
    report("pingpong_per_second", (double)trips / spent, "ping-pong 64 B       %8.0f per s     %.1f ns, both ends",
           (double)trips / spent, spent * 1e9 / (double)trips);
    pair_free(&p);
}

/* One turn of an echo of datagrams of 64 bytes: DATAGRAMS there and back. Returns how many came back. */
static uint64_t datagram_turn(struct pair *p)
{
    uint8_t buf[64] = {0};
    const nst_iov iov = {buf, sizeof buf};
    uint64_t back = 0;

    p->now += TURN_NS;
    for (int i = 0; i < DATAGRAMS; i++)
        put(&p->a, p->s, buf, sizeof buf, p->now);
    carry(&p->a, &p->b, p->now);
    for (;;) {
        nst_msg m = {.iov = &iov, .niov = 1};

        if (nst_recv(p->b.n, p->r, &m, p->now) < 0)
            break;
        m.ttl = m.tos = 0;
        m.flags = 0;
        nst_send(p->b.n, p->r, &m, p->now);
    }
    carry(&p->b, &p->a, p->now);
    while (get(&p->a, p->s, buf, sizeof buf, p->now) > 0)
        back++;
    return back;
}

static void datagrams_open(struct pair *p, const nst_config *cfg)
{
    const nst_open_args there = {.kind = NST_UDP, .remote = {nst_ip4(10, 0, 0, 2), 7}}, here = {.kind = NST_UDP, .local = {.port = 7}};

    pair_open(p, cfg);
    p->s = nst_open(p->a.n, &there, p->now);
    p->r = nst_open(p->b.n, &here, p->now);
}

static void datagrams(void)
{
    const nst_config cfg = default_config();
    uint64_t count = 0;
    double start, spent;
    struct pair p;

    datagrams_open(&p, &cfg);
    start = seconds_now();
    do {
        for (int turn = 0; turn < 200; turn++)
            count += datagram_turn(&p);
        spent = seconds_now() - start;
    } while (spent < budget / 2);
    report("datagram_ns", spent * 1e9 / (double)count, "datagram 64 B        %8.1f ns        there and back, both ends, %d at once",
           spent * 1e9 / (double)count, DATAGRAMS);
    pair_free(&p);
}

static void connections(void)
{
    nst_config cfg = default_config();
    uint64_t count = 0;
    nst_event ev[16];
    double start, spent;
    struct pair p;

    cfg.set[NST_SET_TCP_TIME_WAIT] = 1;
    pair_open(&p, &cfg);
    start = seconds_now();
    do {
        for (int turn = 0; turn < 500; turn++, count++) {
            pair_connect(&p, p.listener, 80);
            nst_close(p.a.n, p.s, NST_CLOSE, p.now);
            carry(&p.a, &p.b, p.now);
            nst_close(p.b.n, p.r, NST_CLOSE, p.now);
            carry(&p.b, &p.a, p.now);
            carry(&p.a, &p.b, p.now);
            while (nst_events(p.a.n, ev, 16) != 0 || nst_events(p.b.n, ev, 16) != 0)
                ;
        }
        spent = seconds_now() - start;
    } while (spent < budget / 2);
    report("connections_per_second", (double)count / spent,
           "connect and close    %8.0f per s     %.1f ns, both ends", (double)count / spent,
           spent * 1e9 / (double)count);
    pair_free(&p);
}

/* Connections that were used once, 100 bytes each way, and then stay open. */
static void idle(void)
{
    nst_config cfg = default_config();
    uint8_t buf[100] = {0};
    nst_event ev[16];
    uint64_t one, many, before = 0;
    double each;
    nst_sock listener[2];
    struct pair p;

    cfg.max_tcp = 1;
    cfg.max_time_wait = cfg.max_syn = 1;
    one = nst_footprint(&cfg);
    cfg.max_tcp = IDLE + 1;
    cfg.set[NST_SET_TCP_AWAKE] = 64; /* as few beside so many as the usual 1,024 are beside 320,000 */
    many = nst_footprint(&cfg);
    pair_open(&p, &cfg);
    listener[0] = p.listener;
    listener[1] = listen_on(&p.b, 81);
    for (int i = 0; i < IDLE; i++) {
        if (i == IDLE / 10) /* what the first ones touched was mostly not theirs alone */
            before = touched(&p.b);
        pair_connect(&p, listener[i % 2], (uint16_t)(80 + i % 2)); /* two ports: more pairs than one has */
        put(&p.a, p.s, buf, sizeof buf, p.now);
        carry(&p.a, &p.b, p.now);
        get(&p.b, p.r, buf, sizeof buf, p.now);
        put(&p.b, p.r, buf, sizeof buf, p.now);
        carry(&p.b, &p.a, p.now);
        get(&p.a, p.s, buf, sizeof buf, p.now);
        while (nst_events(p.a.n, ev, 16) != 0 || nst_events(p.b.n, ev, 16) != 0)
            ;
    }
    each = (double)(touched(&p.b) - before) / (IDLE - IDLE / 10);
    report("idle_touched_bytes", each, "idle connection      %8.1f bytes     touched, of %d connections", each, IDLE);
    report("idle_reserved_bytes", (double)(many - one) / IDLE, "                     %8.1f bytes     reserved",
           (double)(many - one) / IDLE);
    pair_free(&p);
}

/* A transfer of its own in each of n threads; bytes that all of them moved in budget / 2. */
static void *transfer_thread(void *bytes)
{
    const nst_config cfg = default_config();
    const double start = seconds_now();
    uint64_t *received = bytes;
    struct pair p;

    pair_open(&p, &cfg);
    pair_connect(&p, p.listener, 80);
    while (seconds_now() - start < budget / 2)
        for (int turn = 0; turn < 100; turn++)
            *received += bulk_turn(&p, NULL);
    pair_free(&p);
    return NULL;
}

static uint64_t transfer_in(int n)
{
    uint64_t received[2] = {0};
    pthread_t thread[2];

    for (int i = 0; i < n; i++)
        if (pthread_create(&thread[i], NULL, transfer_thread, &received[i]) != 0)
            exit(1);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    return received[0] + received[1];
}

/* Nothing is shared between stacks: two threads on two processors should move twice as much. */
static void threads(void)
{
    const uint64_t one = transfer_in(1), two = transfer_in(2);
    const double ratio = (double)two / (double)one;

    report("threads_ratio", ratio, "two threads          %8.2f x one      each with two stacks of its own", ratio);
}

static void count_turns(long turns, bool of_datagrams)
{
    const nst_config cfg = default_config();
    struct pair p;
    uint64_t back = 0;

    if (of_datagrams) {
        datagrams_open(&p, &cfg);
        for (long i = 0; i < turns; i++)
            back += datagram_turn(&p);
        printf("%llu\n", (unsigned long long)back);
        pair_free(&p);
        return;
    }
    pair_open(&p, &cfg);
    pair_connect(&p, p.listener, 80);
    for (long i = 0; i < turns; i++)
        bulk_turn(&p, NULL);
    printf("%llu\n", (unsigned long long)p.a.data_frames);
    pair_free(&p);
}

/* Transfers segment by segment with software checksums and in superframes without, each with copies and lent. */
static void bulk_all(void)
{
    for (int with = 0; with < 4; with++) {
        offload = with >= 2 ? NST_OFFLOAD_ALL : 0;
        is_lent = with % 2 != 0;
        bulk();
        stages();
    }
    offload = 0;
    is_lent = false;
}

int main(int argc, char **argv)
{
    bool only_stages = false, of_datagrams = false;
    long turns = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--stages") == 0) {
            only_stages = true;
        } else if (strcmp(argv[i], "--datagrams") == 0) {
            of_datagrams = true;
        } else if (strcmp(argv[i], "--superframes") == 0) {
            offload = NST_OFFLOAD_ALL;
        } else if (strcmp(argv[i], "--no-copies") == 0) {
            is_lent = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--turns") == 0) {
            turns = atol(argv[++i]);
        } else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0) {
            budget = atof(argv[++i]);
        } else if (i + 1 < argc && strcmp(argv[i], "--json") == 0) {
            json = fopen(argv[++i], "a");
            if (json == NULL) {
                perror(argv[i]);
                return 3;
            }
        } else {
            fprintf(stderr, "usage: core [--stages] [--seconds T] [--json FILE] | --turns N [--superframes] [--no-copies | --datagrams]\n");
            return 2;
        }
    }
    if (turns > 0) {
        count_turns(turns, of_datagrams);
        return 0;
    }
    bulk_all();
    if (!only_stages) {
        acks_in();
        rounds();
        datagrams();
        connections();
        threads();
        idle();
    }
    return json != NULL && fclose(json) != 0 ? 3 : 0;
}
