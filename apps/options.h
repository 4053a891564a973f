/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: every option of every mode in one struct. */
#ifndef APPS_OPTIONS_H
#define APPS_OPTIONS_H

#include "netstack.h"

/* Exit codes, the same for every command. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FALSE = 1,       /* it ran, but what was asked is false: replay differs, a check failed */
    EXIT_USAGE = 2,       /* wrong command line */
    EXIT_ENVIRONMENT = 3, /* permission, device, missing file */
    EXIT_INPUT = 4,       /* not a capture, truncated, link type */
    EXIT_PANIC = 70,      /* internal assertion */
    EXIT_INTERRUPT = 130, /* SIGINT in a batch mode */
};

enum options_mode { MODE_NONE, MODE_TUN, MODE_REPLAY, MODE_DRILL, MODE_LINK, MODE_SIM, MODE_DEMO, MODE_HELP, MODE_VERSION };
enum options_as { AS_AUTO, AS_SERVER, AS_CLIENT, AS_ADDR };
enum options_verify { VERIFY_NONE, VERIFY_EXACT, VERIFY_SEMANTIC };
enum options_plot { PLOT_NONE, PLOT_TTY, PLOT_SVG };
enum options_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum { /* services, bits of options.apps */
    APP_ECHO = 1,
    APP_DISCARD = 2,
    APP_CHARGEN = 4,
    APP_HTTP = 8,
    APP_ALL = 15,
};

enum { OPTIONS_ADDR_MAX = 16, OPTIONS_PEER_MAX = 2, OPTIONS_SETTING_MAX = 128, OPTIONS_APP_KINDS = 4, OPTIONS_WORD_MAX = 64,
       OPTIONS_QUEUES_MAX = 64 };
#define OPTIONS_BUSY_AUTO UINT64_MAX
#define OPTIONS_SEED_OFFLINE 1u

struct options_addr {
    nst_ip ip;
    uint8_t prefix;
};

struct options { /* strings point into argv */
    enum options_mode mode;
    int argc;
    char *const *argv;
    const char *help_topic;    /* NULL = the overview */
    bool takes_words;
    const char *word[OPTIONS_WORD_MAX]; /* after a verb: arguments that are not options */
    size_t word_count;

    /* common */
    const char *filter;        /* libpcap expression, NULL = everything */
    bool json;                 /* JSON Lines on stdout */
    bool quiet;
    int verbose;               /* times -v was given */
    enum options_color color;
    bool has_seed;
    uint64_t seed;             /* OPTIONS_SEED_OFFLINE unless has_seed; live draws one at random instead */

    /* stack */
    struct options_addr addrs[OPTIONS_ADDR_MAX]; /* --addr; addr_count 0 = defaults of the mode */
    size_t addr_count;
    uint32_t mtu;              /* 0 = default of the mode */
    const char *cc;            /* "reno" */
    uint64_t mem;              /* bytes; 0 = nst_config_default */
    nst_setting_value settings[OPTIONS_SETTING_MAX]; /* --set, in order */
    size_t setting_count;

    const char *record;        /* -w; NULL = none, "-" = stdout */
    const char *impair, *impair_back; /* specs of a link, checked; NULL = none. impair_back NULL: the same both ways */

    /* live */
    const char *tun;           /* name of the interface */
    nst_ip peers[OPTIONS_PEER_MAX]; /* addresses of the host side; peer_count 0 = defaults */
    size_t peer_count;
    unsigned apps;             /* APP_ bits */
    uint16_t app_port[OPTIONS_APP_KINDS]; /* by bit number; 0 = the service's own */
    bool no_config;
    bool no_offload;
    bool no_uring, uring;      /* neither: where it pays */
    unsigned queues;           /* of the device, a thread and a stack each; 0 and 1 = one */
    const char *connect;       /* HOST:PORT as typed; NULL = none */
    nst_addr connect_to;
    bool has_send, has_recv;
    uint64_t send_bytes, recv_bytes;
    const char *ping;          /* HOST as typed; NULL = none */
    nst_ip ping_to;
    int ready_fd;              /* -1 = none */
    uint64_t duration_ns;      /* 0 = until stopped */
    uint64_t busy_poll_ns;     /* longest spin for the next frame; 0 = sleep at once, OPTIONS_BUSY_AUTO = as the machine allows */

    /* sim */
    enum options_plot plot;
    const char *csv;           /* FILE of the time series, "-" = stdout; NULL = none */
    unsigned interface;        /* host whose interface is recorded */
    const char *sweep;         /* FILE of a sweep, NULL = one run */
    const char *output;        /* --output; NULL = the default of the command */
    const char *cells;         /* --cells FIRST-LAST or N; NULL = all */

    /* replay */
    const char *replay_file;
    enum options_as as;
    nst_ip as_ip;              /* AS_ADDR */
    enum options_verify verify;
    bool has_until;
    uint64_t until_ns;         /* capture time from its first packet */
    uint32_t speed_milli;      /* 0 = as fast as possible, 1000 = real time, 2500 = 2.5x */
};

/* Parses the command line. 0, or an exit code after printing what was wrong. */
int options_parse(int argc, char *const *argv, struct options *out);

/* nst_config_default or nst_config_fit by --mem, then --set. 0, or an exit code after printing why. */
int options_config(const struct options *, nst_config *out);

/* The commands return the exit code. */
int cmd_tun(const struct options *);
int cmd_replay(const struct options *);
int cmd_drill(const struct options *);  /* reads argv itself: its options are those of the language, too */
int cmd_link(const struct options *);
int cmd_sim(const struct options *);
int cmd_demo(const struct options *);

#endif
