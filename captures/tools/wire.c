/*
 * wire - a wire between two network namespaces, with delay, rate and reordering
 *
 * Theory of operation.  The recorder gives each namespace a TUN (or TAP) device of the same name.  This
 * program attaches to both and forwards packets from one to the other.  It exists because the machine that
 * records may have no netem.  Each packet gets a due time when it is read:
 *
 *     due = time it has left the sender's interface (rate) + propagation (delay) + extra (late)
 *
 * and waits in one list sorted by due time; packets with the same due time keep their order.  Loss is not
 * made here: nftables does that, before or after the wire.
 *
 * INVARIANT: nothing is changed, dropped or duplicated; a full queue ends the program with an error, so that
 * a capture never holds a loss nobody asked for.
 * LIMIT: SLOTS packets in flight, FRAME_MAX bytes each, RUN_MAX_S seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 8192, FRAME_MAX = 2048, RUN_MAX_S = 120 };

/* One packet that waits for its due time. */
struct slot {
    struct slot *next;     /* next in due order, or next free slot */
    uint64_t due_ns;       /* when it leaves */
    size_t len;            /* bytes used in data */
    int to;                /* side that gets it: 0 = A, 1 = B */
    uint8_t data[FRAME_MAX];
};

/* One direction, named after the side that sends. */
struct path {
    uint64_t delay_ns;     /* propagation time of every packet */
    uint64_t rate_bps;     /* 0 = infinite */
    uint64_t free_ns;      /* when the sender's interface has sent everything before */
    unsigned late_every;   /* every n-th counted packet is late; 0 = none */
    unsigned late_phase;   /* which one of n */
    uint64_t late_ns;      /* by how much */
    size_t late_min_len;   /* shorter packets are not counted */
    unsigned counted;      /* packets counted for late_every */
    unsigned long packets; /* statistics */
};

static struct slot slots[SLOTS];
static struct slot *free_slots;
static struct slot *queue;
static struct path paths[2];
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Attach to an existing TUN or TAP device inside the named namespace. */
static int attach(const char *netns, const char *kind, const char *device)
{
    char path[256];
    struct ifreq ifr;
    int ns_fd;
    int fd;

    snprintf(path, sizeof path, "/run/netns/%s", netns);
    ns_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (ns_fd < 0 || setns(ns_fd, CLONE_NEWNET) != 0) {
        die(path);
    }
    close(ns_fd);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        die("/dev/net/tun");
    }
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", device);
    ifr.ifr_flags = (short)(IFF_NO_PI | (strcmp(kind, "tap") == 0 ? IFF_TAP : IFF_TUN));
    if (ioctl(fd, TUNSETIFF, &ifr) != 0) {
        die("TUNSETIFF");
    }
    return fd;
}

static void parse_late(struct path *p, const char *value)
{
    unsigned ms;
    unsigned min_len;

    if (sscanf(value, "%u:%u:%u:%u", &p->late_every, &p->late_phase, &ms, &min_len) != 4) {
        errno = EINVAL;
        die("late=EVERY:PHASE:MS:MINLEN");
    }
    p->late_ns = (uint64_t)ms * 1000000u;
    p->late_min_len = min_len;
}

/* "a.delay=10": what A sends takes 10 ms; "b.rate=8000": B's interface sends 8000 kbit/s. */
static void parse_rule(const char *rule)
{
    struct path *p;
    const char *value = strchr(rule, '=');

    if ((rule[0] != 'a' && rule[0] != 'b') || rule[1] != '.' || value == NULL) {
        errno = EINVAL;
        die(rule);
    }
    p = &paths[rule[0] == 'b'];
    value++;
    if (strncmp(rule + 2, "delay=", 6) == 0) {
        p->delay_ns = strtoull(value, NULL, 10) * 1000000u;
    } else if (strncmp(rule + 2, "rate=", 5) == 0) {
        p->rate_bps = strtoull(value, NULL, 10) * 1000u;
    } else if (strncmp(rule + 2, "late=", 5) == 0) {
        parse_late(p, value);
    } else {
        errno = EINVAL;
        die(rule);
    }
}

static uint64_t due_time(struct path *p, size_t len, uint64_t now)
{
    uint64_t start = p->free_ns > now ? p->free_ns : now;
    uint64_t due;

    if (p->rate_bps != 0) {
        start += (uint64_t)len * 8u * 1000000000u / p->rate_bps;
    }
    p->free_ns = start;
    due = start + p->delay_ns;
    if (p->late_every != 0 && len >= p->late_min_len && p->counted++ % p->late_every == p->late_phase) {
        due += p->late_ns;
    }
    return due;
}

static void enqueue(struct slot *s)
{
    struct slot **at = &queue;

    while (*at != NULL && (*at)->due_ns <= s->due_ns) {
        at = &(*at)->next;
    }
    s->next = *at;
    *at = s;
}

static void read_side(int fd, int from)
{
    for (;;) {
        struct slot *s = free_slots;
        ssize_t n;

        if (s == NULL) {
            errno = ENOBUFS;
            die("queue full");
        }
        n = read(fd, s->data, sizeof s->data);
        if (n <= 0) {
            return;
        }
        free_slots = s->next;
        s->len = (size_t)n;
        s->to = !from;
        s->due_ns = due_time(&paths[from], s->len, now_ns());
        paths[from].packets++;
        enqueue(s);
    }
}

static void deliver_due(const int fds[2])
{
    while (queue != NULL && queue->due_ns <= now_ns()) {
        struct slot *s = queue;

        /* ENETDOWN or EIO while the recorder takes the device away is the end, not an error. */
        if (write(fds[s->to], s->data, s->len) != (ssize_t)s->len && !stopped) {
            fprintf(stderr, "wire: write: %s\n", strerror(errno));
        }
        queue = s->next;
        s->next = free_slots;
        free_slots = s;
    }
}

static void forward(const int fds[2])
{
    struct pollfd pfds[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};

    while (!stopped) {
        struct timespec wait = {.tv_sec = 1};
        uint64_t now = now_ns();

        if (queue != NULL) {
            uint64_t left = queue->due_ns > now ? queue->due_ns - now : 0;

            wait.tv_sec = (time_t)(left / 1000000000u);
            wait.tv_nsec = (long)(left % 1000000000u);
        }
        if (ppoll(pfds, 2, &wait, NULL) < 0 && errno != EINTR) {
            die("ppoll");
        }
        read_side(fds[0], 0);
        read_side(fds[1], 1);
        deliver_due(fds);
    }
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_signal};
    int fds[2];

    if (argc < 5) {
        fprintf(stderr, "usage: wire NETNS_A NETNS_B tun|tap DEVICE [a.delay=MS] [a.rate=KBIT] "
                        "[a.late=EVERY:PHASE:MS:MINLEN] [b....]\n");
        return 2;
    }
    for (int i = 5; i < argc; i++) {
        parse_rule(argv[i]);
    }
    for (int i = 0; i < SLOTS; i++) {
        slots[i].next = free_slots;
        free_slots = &slots[i];
    }
    fds[0] = attach(argv[1], argv[3], argv[4]);
    fds[1] = attach(argv[2], argv[3], argv[4]);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGALRM, &sa, NULL);
    alarm(RUN_MAX_S);
    puts("ready");
    fflush(stdout);
    forward(fds);
    fprintf(stderr, "wire: %lu packets from a, %lu from b\n", paths[0].packets, paths[1].packets);
    return 0;
}
