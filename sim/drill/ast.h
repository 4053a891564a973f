/* SPDX-License-Identifier: Apache-2.0 */
/* What a script says, as a tree. Everything lives in one arena, which the script owns. Numbers are as in the text: sequence numbers
 * relative, ports and timestamps the script's. Times are nanoseconds. */
#ifndef DRILL_AST_H
#define DRILL_AST_H

#include <netstack.h>

struct d_pos {
    uint32_t line, col; /* from 1 */
};

struct d_text { /* bytes, NUL-terminated behind the end */
    const char *s;
    size_t len;
};

/* ------------------------------------------------------------------------------------------------ expressions */

enum d_expr_kind {
    E_ELLIPSIS, /* ... : filled in by the runner */
    E_INT,
    E_WORD,     /* a name, looked up when checked; num is its value afterwards */
    E_STRING,
    E_OR,       /* list: a | b | c */
    E_ARRAY,    /* list: [a, b] */
    E_STRUCT,   /* list of E_MEMBER or plain values: {a = 1, b = 2} */
    E_MEMBER,   /* text = name; list = the value; of `name(x) = value` then x behind it */
    E_CALL,     /* text = name; list = arguments: htons(80) */
};

struct d_expr {
    enum d_expr_kind kind;
    struct d_pos pos;
    struct d_text text;
    int64_t num;          /* E_INT, and checked E_WORD and E_OR */
    bool is_hex;
    struct d_expr *list;  /* first child */
    struct d_expr *next;  /* sibling */
};

/* ---------------------------------------------------------------------------------------------------- packets */

enum { /* TCP flags as on the wire; AE is the former NS bit (draft-ietf-tcpm-accurate-ecn) */
    F_FIN = 1, F_SYN = 2, F_RST = 4, F_PSH = 8, F_ACK = 16, F_URG = 32, F_ECE = 64, F_CWR = 128, F_AE = 256
};

enum d_opt_kind { O_EOL, O_NOP, O_MSS, O_WSCALE, O_SACKOK, O_SACK, O_TS, O_FO, O_FOEXP, O_MD5, O_ECN };

struct d_opt {
    enum d_opt_kind kind;
    uint32_t a, b;               /* MSS, shift; TS: val, ecr */
    uint8_t n;                   /* SACK: blocks; FO, FOEXP, MD5: bytes; ECN: fields */
    uint8_t order;               /* ECN: 0 = starts with e0b (kind 172), 1 = with e1b (kind 174) */
    uint32_t v[8];               /* SACK: start, end, ...; ECN: counters in order */
    uint8_t bytes[36];           /* FO, FOEXP: cookie; MD5: digest */
};

enum { D_OPTS_MAX = 40 };

enum d_ecn { ECN_NONE = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_ANY_ECT };
enum d_proto { D_TCP = 6, D_UDP = 17, D_ICMP = 1 };
enum d_quote { QUOTE_NONE, QUOTE_TCP, QUOTE_UDP, QUOTE_RAW };

struct d_packet {
    bool inbound;
    enum d_proto proto;
    bool has_ecn, has_tos, has_flow, has_ttl, has_ports, has_ack, has_win, has_urg, has_icmp_id, has_mtu;
    bool any_opts;               /* <...> */
    uint8_t ecn, tos, ttl;
    uint32_t flow;
    uint16_t sport, dport;
    uint16_t flags;
    uint32_t seq, end, len, ack, urg; /* UDP and raw quotes: len only */
    uint32_t win;
    struct d_opt *opts;          /* opt_count of them */
    size_t opt_count;
    uint8_t icmp_type, icmp_code;
    uint16_t icmp_id;
    uint32_t mtu;
    enum d_quote quote;          /* ICMP: what `[...]` holds; then seq, end, len are the quoted ones */
};

/* ------------------------------------------------------------------------------------------------ other events */

struct d_call;
struct d_syscall; /* call.h: the table row */

struct d_call {
    struct d_text name;
    const struct d_syscall *row;  /* set by the check */
    struct d_expr *args;
    size_t arg_count;
    struct d_expr *ret;
    struct d_expr *error;         /* E_WORD or NULL */
    int32_t error_num;            /* set by the check */
    bool is_blocking;             /* ends at event.end */
};

struct d_action; /* command.h */

struct d_command {
    struct d_text text;
    struct d_action *actions;     /* set by the check */
};

struct d_code;   /* code.h */

enum d_time_kind { AT_ABSOLUTE, AT_RELATIVE, AT_ANY };
enum d_event_kind { EV_PACKET, EV_CALL, EV_COMMAND, EV_CODE };

struct d_event {
    struct d_event *next;
    struct d_pos pos;             /* of its time */
    struct d_pos what;            /* of its action */
    enum d_time_kind when;
    bool is_range;
    int64_t t, t_to;              /* t_to: end of a range; blocking call: when it returns */
    enum d_event_kind kind;
    union {
        struct d_packet *packet;
        struct d_call *call;
        struct d_command *command;
        struct d_code *code;
    } u;
};

/* ------------------------------------------------------------------------------------------------------ script */

enum d_family { FAMILY_4, FAMILY_6, FAMILY_MAPPED };

struct d_settings { /* the --options */
    enum d_family family;
    nst_ip local, remote;
    uint8_t prefix;
    uint32_t mtu, mss, bind_port, connect_port;
    uint32_t tolerance_us, tolerance_permille; /* 12.5 % = 125 */
    uint32_t ts_tick_us;                       /* 0 = TS val not checked */
    bool ts_ecr_scaled, strict_segments, non_fatal_packet, non_fatal_syscall, dry_run, send_omit_free, is_anyip;
    char cc[16];
};

struct d_arena_chunk;
struct d_arena {
    struct d_arena_chunk *head;
    size_t total, limit;
    bool is_full;
};

struct drill_config;

struct drill_script {
    struct d_arena arena;
    const char *name;
    const struct drill_config *config;
    struct d_settings set;
    struct d_command *init, *cleanup;  /* NULL = none */
    struct d_pos init_pos, cleanup_pos;
    struct d_event *events;
    size_t event_count;
};

void *arena_get(struct d_arena *a, size_t size); /* zero-filled */
struct d_text arena_text(struct d_arena *a, const char *s, size_t len);
void arena_free(struct d_arena *a);

#endif
