/* SPDX-License-Identifier: Apache-2.0 */
/* netstack --replay: what its parts share. docs/decisions/005-replay.md explains the rules.
 *
 * The capture is read twice. Pass 1 (replay_flow.c) finds the conversations and what the recorded host did in
 * each. Pass 2 (cmd_replay.c) feeds the peers' packets to the stack (replay_xlate.c), lets its application do what
 * the recorded one did (replay_app.c), and compares what the stack sends (replay_match.c, replay_report.c).
 *
 * Sequence numbers are handled as offsets: 0 is the SYN, 1 the first byte of the stream, in 64 bits.
 * INVARIANT: memory is bounded by the limits below, not by the length of the file. */
#ifndef APPS_REPLAY_H
#define APPS_REPLAY_H

#include <stdio.h>

#include "drivers/pcap_replay.h"
#include "netstack.h"
#include "options.h"
#include "replay_packet.h"
#include "sha256.h"

enum {
    REPLAY_CONVS_MAX = 65536,          /* LIMIT: conversations; packets of further ones are not played */
    REPLAY_SOCKETS_MAX = 16384,        /* LIMIT: addresses and ports that the recorded hosts listened on */
    REPLAY_ADDRS_MAX = 4096,           /* LIMIT: addresses of the stack, and surrogates of each kind */
    REPLAY_STORE_BYTES = 32 << 20,     /* LIMIT: bytes that were recorded late, see struct chunk */
    REPLAY_QUEUE_BYTES = 64 << 20,     /* LIMIT: bytes written that do not fit into send buffers yet */
    REPLAY_GAPS_MAX = 256,             /* LIMIT: holes per recorded stream at a time */
    REPLAY_JUMP_MAX = 64 << 20,        /* LIMIT: a hole this large is a wrong sequence number */
    REPLAY_ITEMS_MAX = 16384,          /* LIMIT: packets waiting to be compared, all conversations */
    REPLAY_PENDING_MAX = 256,          /* LIMIT: the same, one conversation and direction */
    REPLAY_TS_MAX = 128,               /* LIMIT: timestamps remembered per connection */
    REPLAY_SPINS_MAX = 20000,          /* LIMIT: timers that fire between two packets, see replay_run_until */
    REPLAY_STALLS_MAX = 64,            /* LIMIT: times that a recorded window closed, per connection; then never again */
    REPLAY_LATE_MAX = 32,              /* LIMIT: ranges remembered that the capture point saw late or never */
    REPLAY_TEXT = 128,
};

#define REPLAY_NONE UINT32_MAX

/* Bytes of the recorded host's stream that pass 2 needs before it meets the segment that carries them: captured
 * late (a retransmission fills a hole) or written early (they waited for a zero window to open). */
struct chunk {
    struct chunk *next;    /* of the same conversation, by offset */
    uint64_t offset;       /* in the stream: 0 is its first byte */
    uint64_t at;           /* write when this packet was replayed; 0 = when the stream gets there */
    uint32_t len;
    uint8_t data[];
};

struct gap {
    uint64_t left, right;  /* stream offsets */
};

struct stall { /* the recorded application did not read for a while, so its window closed */
    uint64_t edge;         /* stream offset of the right edge then */
    uint64_t resume;       /* packet that opened the window again; UINT64_MAX = none did */
};

struct ts_pair { /* what the peer will echo, and what it means for us */
    uint32_t recorded, ours;
};

/* A queue of packets that wait to be compared; indices into struct replay.items. */
struct pending {
    uint32_t first, last, count;
};

struct tcp_app { /* what the recorded host's application did, and how far we are */
    nst_sock sock;
    bool is_open;          /* sock is valid */
    bool is_done;          /* closed, aborted or failed: do nothing more */
    bool fin_wanted, fin_done, is_eof;
    uint8_t *queue;        /* bytes that nst_send did not take yet */
    size_t queue_len, queue_room, queue_head;
    uint64_t written;      /* stream offset: bytes handed to the queue or to nst_send */
    uint64_t read;         /* bytes delivered to the application */
    uint64_t sent;         /* bytes accepted by nst_send */
    uint64_t read_limit;   /* stream offset where the recorded application paused; UINT64_MAX = none */
    struct sha256 sha;
    int error;             /* the nst_err that ended it, 0 = none */
    uint32_t srtt_us, cwnd, retransmits; /* as last seen */
};

struct tcp_conv {
    /* ---- recorded, from pass 1 */
    uint32_t iss, irs;     /* recorded initial sequence numbers of our side and of the peer */
    bool has_iss, has_irs;
    bool is_active;        /* our side sent a SYN of its own */
    bool is_answered;      /* somebody sent a SYN-ACK, ... */
    bool has_answered;     /* ... our side did */
    bool is_refused;       /* our side answered the SYN with a reset */
    bool has_options;      /* the next five were seen in our side's SYN */
    bool ts, sack;
    int8_t wscale;         /* -1 = not offered */
    uint16_t mss;
    int8_t peer_wscale;    /* -1 = not offered */
    uint64_t open_at;      /* packet before which our side's SYN must be on its way */
    uint64_t end;          /* stream offset: one past the last byte recorded of our side */
    bool fin_seen, rst_seen, peer_fin, peer_rst, peer_data_after_fin;
    bool is_close;         /* our FIN was a close(), not a shutdown(): later data met a reset */
    uint32_t max_window;   /* largest window our side advertised, bytes */
    struct stall *stalls;  /* NULL = our side never closed its window */
    uint32_t stall_count, stall_at; /* stall_at: the one that is ahead or in force */
    uint32_t syn_seq;      /* a SYN with another sequence number that may start a new connection */
    uint64_t syn_packet;
    struct gap *gaps;      /* holes that are open in pass 1; NULL when there never was one */
    uint32_t gap_count;
    uint64_t zero_at;      /* packet that closed the peer's window; 0 = none since the last data */
    uint64_t zero_end_t;   /* when it opened again, ns since 1970; 0 = still closed */
    struct chunk *chunks, *last_chunk;

    /* ---- replayed, from pass 2 */
    uint32_t ours;         /* the stack's initial sequence number */
    bool has_ours;
    uint32_t conn;         /* number in traces */
    uint8_t state, shown_state; /* as traced; 0 = none */
    uint64_t out_max;      /* offset: one past the highest sent by the stack, SYN and FIN included */
    uint64_t out_ack;      /* offset: highest acknowledged by the stack */
    uint32_t out_window;   /* last window sent, as in the header */
    uint64_t rec_max, rec_ack; /* the same of the recording, up to the packet in work */
    uint32_t rec_window;
    bool out_fin, rec_fin;
    uint64_t out_fin_at, rec_fin_at;
    struct gap *late;      /* ring: ranges of our side that were not captured in order; NULL = none */
    uint32_t late_count;
    uint64_t in_max;       /* offset: one past the highest received */
    uint32_t ts_newest;    /* newest TSval sent by the stack */
    bool has_ts;
    struct ts_pair *ts_map; /* ring of REPLAY_TS_MAX; NULL until needed */
    uint32_t ts_count;
    bool in_had_data;      /* the packet that was injected last occupies sequence space or is out of place */
    uint64_t payload_out, payload_rec; /* position-dependent sums of the stream bytes sent first time */
    struct tcp_app app;
};

struct dgram_conv { /* UDP, ping and everything else */
    uint64_t bytes_in, bytes_out, count_in, count_out;
    struct sha256 in;      /* payloads delivered to the application */
    bool is_refused;       /* our side answered with port unreachable */
    nst_sock sock;
};

/* Whose checksum: of a transport packet without data, with data (some cards do only these), of an IPv4 header. */
enum { SUM_EMPTY, SUM_DATA, SUM_HEADER, SUM_CLASSES };

struct conv {
    nst_addr us, peer;     /* as recorded; ports 0 when the protocol has none, echo: identifier */
    nst_ip us_as, peer_as; /* as the stack sees them: the same, or surrogates */
    uint32_t id;           /* index in struct replay.convs */
    uint32_t chain;        /* next conversation of the hash chain */
    uint32_t later, earlier; /* next and previous connection between the same ports */
    uint32_t current;      /* in the first of them: the one that the packet in work belongs to */
    uint64_t first_packet; /* from here on, packets of these ports are this connection's */
    uint32_t number;       /* shown: 1, 2, ... of the played ones; 0 = not played */
    uint8_t proto;
    bool is_pair;          /* packets without ports: fragments, other protocols */
    bool is_played;
    bool is_mid;           /* TCP: began before the capture */
    bool has_replies;      /* our side sent something */
    bool is_vouched[2][SUM_CLASSES]; /* by direction: checksums are not believable, so they are not checked */
    uint32_t sums[2][SUM_CLASSES][RP_CSUM_KINDS]; /* the same: packets */
    bool has_gap;          /* TCP: recorded out of order, so the payload sums below do not compare */
    struct pending rec, out;
    struct tcp_conv *tcp;
    struct dgram_conv *dgram;
};

enum { DIR_IN = 0, DIR_OUT = 1 }; /* to the stack, from the side that it plays */

enum item_kind { ITEM_IN, ITEM_OUT, ITEM_REC };
enum item_mark {
    MARK_PENDING, MARK_IN,
    MARK_EQUAL,    /* the same packet was recorded */
    MARK_ALIKE,    /* split, merged or delayed within the rules */
    MARK_LATE,     /* sent after the end of the recording: not judged */
    MARK_EXTRA,    /* not recorded */
    MARK_MISSING,  /* recorded, but not sent */
    MARK_HIDDEN,   /* recorded and sent: shown there */
    MARK_UNJUDGED, /* of a conversation that has no recorded replies to compare with */
};

struct item { /* a packet in the table */
    enum item_kind kind;
    enum item_mark mark;
    uint64_t number;       /* of the capture; ours: of the recorded packet that it equals, or 0 */
    uint64_t t;            /* virtual time, ns */
    uint32_t conv;         /* index; REPLAY_NONE = none */
    uint32_t prev, next;   /* in a struct pending */
    uint8_t flags;         /* TCP, without PSH */
    bool is_tcp, is_new, is_rtx, is_dup, is_probe, is_window_update, is_provoked, is_ack_of_unsent, is_cut;
    uint64_t left, right;  /* offsets in sequence space */
    uint64_t ack;
    uint8_t sack_count;
    struct gap sack[RP_SACK_MAX];
    uint64_t hash;         /* payload; other protocols: what is compared */
    uint32_t window, len;
    uint16_t rule;         /* ours: why */
    const char *why;       /* divergence or likeness, static text */
    uint8_t *packet;       /* exact mode: the whole packet, in the recorded host's numbers */
    uint32_t packet_len;
    char text[REPLAY_TEXT];
    int drop;              /* reason, -1 = none */
    char state[96];        /* "SYN_RCVD → ESTABLISHED" */
};

struct sender_sums { /* packets of one address by what their checksums are */
    uint32_t n[SUM_CLASSES][RP_CSUM_KINDS];
};

struct ip_set { /* at most REPLAY_ADDRS_MAX addresses, numbered in the order of their arrival */
    nst_ip *list;
    uint32_t *slots;       /* hash -> number + 1 */
    uint32_t count;
};

struct listener { /* an address and port of the stack that is bound */
    nst_addr at;
    uint8_t proto;
    nst_sock sock;         /* NST_NO_SOCK = closed at present */
    uint32_t chain;
};

struct counts {
    uint64_t packets, in, out, replies, matched, extra, missing;
    uint64_t not_ip, wrong_version, short_link, other, mid_packets, unplayed_packets, snapped, back_in_time;
    uint64_t vouched, clamped_acks, missing_bytes, dropped_bytes, datagrams, filtered, alike;
    uint32_t tcp, udp, ping, mid, over_limit;
};

struct replay {
    const struct options *opt;
    struct counts n;
    nst *stack;
    int ifx;
    nst_time now;          /* virtual, 0 = first packet */
    uint64_t t0, last_t;   /* recorded: first packet; newest packet, ns since 1970 */
    uint64_t end_t;        /* virtual time of the last packet of the recording */
    bool is_over;          /* the recording has ended */
    bool is_muted;         /* what the stack sends now is replay's own doing: not shown, not compared */
    uint32_t mtu, snaplen; /* snaplen: of the first packet that was cut off */
    int64_t time_wait;     /* the setting */
    uint32_t link_type;    /* of the first packet; several: REPLAY_NONE */
    bool has_first;

    struct conv *convs;
    uint32_t conv_count, conv_room;
    uint32_t *buckets;     /* REPLAY_CONVS_MAX heads of hash chains */
    uint32_t numbered;     /* played conversations */
    uint32_t *conn_conv;   /* connection number of the stack -> conversation */
    uint32_t conn_room;
    size_t store_bytes, queue_bytes;

    struct ip_set senders; /* recorded addresses, for sender_sums */
    struct sender_sums *sender_sums;
    struct ip_set us_ips;  /* recorded addresses that the stack plays, unicast */
    struct ip_set peer_surrogates, us_surrogates; /* recorded addresses; the index makes the surrogate */

    struct listener *listeners;
    uint32_t listener_count;
    uint32_t *listener_buckets;

    struct item *items;    /* ring */
    uint64_t item_head, item_tail; /* first one kept, next one to be made */
    struct item *divergence, *other; /* copies of the first one's two sides; other NULL = nothing there */
    uint64_t divergences;

    struct sha256 trace;   /* every trace event, every frame sent */
    struct {
        uint32_t conn;
        uint8_t from, to;
    } states[32];          /* changes since they were last shown */
    uint32_t state_count;
    uint64_t drops;        /* traced */
    int last_drop;         /* reason of a packet dropped since it was set to -1 */
    uint32_t conn_hint;    /* conversation that a connection made now belongs to; REPLAY_NONE = unknown */

    uint8_t *scratch;      /* 256 KiB: a packet in translation */
    uint8_t *frame;        /* 64 KiB and headers: a packet of the stack, flat */
    struct pcap_record *record;
    struct runloop *loop;  /* real time and SIGINT; NULL = none */
    struct reassembly *reassembly; /* fragments of the recorded host's datagrams */
    FILE *text;            /* where the report goes: stdout, or stderr with -w - */
};

/* replay_ips.c: sets of addresses */
int replay_ip_sets_init(struct replay *);
void replay_ip_sets_free(struct replay *);
uint32_t replay_set_add(struct ip_set *, const nst_ip *);        /* its number; REPLAY_NONE when the set is full */
uint32_t replay_set_find(const struct ip_set *, const nst_ip *); /* its number; REPLAY_NONE when it is not there */

/* replay_flow.c: conversations */
int replay_flow_init(struct replay *);
void replay_flow_free(struct replay *);
void replay_flow_analyse(struct replay *, const struct pcap_replay_packet *, const struct rp_packet *);
void replay_flow_finish(struct replay *);             /* between the passes */
/* The conversation of a packet of the capture and its direction; NULL = not played. */
struct conv *replay_flow_find(struct replay *, const struct rp_packet *, uint64_t number, int *dir);
/* The conversation of a packet of the stack, addresses already mapped back. */
/* The TCP connection that a first fragment belongs to; NULL = none. */
struct conv *replay_flow_find_whole(struct replay *, const struct rp_packet *, uint64_t number);
struct conv *replay_flow_find_ours(struct replay *, const struct rp_packet *, const nst_ip *src, const nst_ip *dst);
uint64_t replay_offset(uint32_t seq, uint32_t isn, uint64_t near); /* sequence number -> offset next to `near` */

/* replay_store.c: recorded bytes that are needed before their time */
void replay_store_add(struct replay *, struct conv *, uint64_t offset, uint64_t at, const uint8_t *data, uint32_t len);
void replay_store_free(struct conv *);

/* replay_tcp.c: pass 1 of a TCP conversation */
void replay_tcp_analyse(struct replay *, struct conv *, const struct rp_packet *, uint64_t number, int dir);

/* replay_xlate.c: between the recording's numbers and the stack's */
/* Makes the frame to inject in r->scratch. */
void replay_translate_in(struct replay *, struct conv *, const struct pcap_replay_packet *, const struct rp_packet *,
                         nst_rx_frame *);
void replay_note_isn(struct conv *, const struct rp_packet *); /* ... and before that, its sequence number */
void replay_note_out(struct replay *, struct conv *, const struct rp_packet *); /* learns from a packet we sent */
void replay_note_rec(struct conv *, const struct rp_packet *); /* ... and from one that was recorded instead */
/* Rewrites a packet of the stack in place into the recorded host's numbers and addresses. */
void replay_translate_back(struct replay *, struct conv *, uint8_t *packet, uint32_t len);
/* Takes surrogate addresses out of a packet, in place; its numbers stay. */
void replay_real_addresses(struct replay *, uint8_t *packet, uint32_t len);
void replay_surrogates(struct replay *);
nst_ip replay_us_as(const struct replay *, const nst_ip *real); /* the stack's address for a recorded one */
nst_ip replay_real_ip(const struct replay *, const nst_ip *);

/* replay_app.c: the recorded hosts' applications */
int replay_app_init(struct replay *);
void replay_app_free(struct replay *);
void replay_app_before(struct replay *, struct conv *, const struct rp_packet *, uint64_t number); /* a packet goes in */
void replay_app_recorded(struct replay *, struct conv *, const struct rp_packet *, uint64_t number);
void replay_app_after(struct replay *, struct conv *, uint64_t number); /* either was done: writes that wait for it */
void replay_app_poll(struct replay *);                /* events: accept, receive, write on */
void replay_app_end(struct replay *);                 /* the recording is over: read what is left */

/* replay_app_tcp.c: one connection's application */
void replay_tcp_open(struct replay *, struct conv *);
void replay_tcp_accepted(struct replay *, struct conv *, nst_sock);
void replay_tcp_recorded(struct replay *, struct conv *, const struct rp_packet *, uint64_t number);
void replay_tcp_early(struct replay *, struct conv *, uint64_t number);
void replay_tcp_event(struct replay *, struct conv *, uint32_t mask);
void replay_tcp_drain(struct replay *, struct conv *);
void replay_tcp_abort(struct replay *, struct conv *);
void replay_tcp_look(struct replay *, struct conv *); /* keeps what the report says about the connection */
void replay_tcp_no_time_wait(struct replay *, bool on);
void replay_tcp_scale(struct replay *, const struct conv *); /* the next SYN carries the recorded window scale */
int32_t replay_tcp_rcvbuf(const struct conv *);

/* replay_frag.c: datagrams of the recorded host that were sent in fragments */
struct rp_datagram {
    nst_ip src, dst;
    uint8_t proto;
    uint32_t len;
    const uint8_t *data;
};
int replay_frag_init(struct replay *);
void replay_frag_free(struct replay *);
bool replay_frag_add(struct replay *, const struct rp_packet *, struct rp_datagram *out); /* true = complete */

/* cmd_replay.c */
void replay_pump(struct replay *); /* events and output until the stack is quiet */

/* replay_match.c: ours against the recorded */
void replay_match_in(struct replay *, struct conv *, const struct rp_packet *, uint64_t number);
void replay_match_out(struct replay *, struct conv *, const struct rp_packet *, const nst_tx_note *);
void replay_match_rec(struct replay *, struct conv *, const struct rp_packet *, uint64_t number);
void replay_match_flush(struct replay *, bool all);   /* judges what is old enough and prints it */
void replay_match_streams(struct replay *);           /* compares all bytes sent, in the end */
void replay_match_free(struct replay *);

/* replay_state.c: state changes and the trace hash */
void replay_on_trace(void *user, const nst_trace_event *);
void replay_state_text(struct replay *, struct conv *, char *out, size_t size); /* takes what is new */

/* replay_text.c: a packet in one line */
void replay_flags_text(uint8_t flags, char out[8]);
void replay_packet_text(const struct rp_packet *, uint32_t seq_zero, uint32_t ack_zero, char out[REPLAY_TEXT]);

/* replay_report.c: text and JSON Lines */
void replay_report_start(struct replay *);
void replay_report_item(struct replay *, const struct item *);
void replay_report_datagram(struct replay *, const nst_ip *src, const nst_ip *dst, uint8_t proto, const void *data,
                            uint32_t len);
void replay_report_divergence(struct replay *);
void replay_report_end(struct replay *, uint64_t real_ns, bool is_ok);

/* replay_json.c: the same as JSON Lines */
void replay_json_start(struct replay *);
void replay_json_item(struct replay *, const struct item *);
void replay_json_divergence(struct replay *);
void replay_json_end(struct replay *, bool is_ok);

/* replay_exact.c: --verify=exact */
/* Names the first field that differs, or NULL. */
const char *replay_exact_difference(const uint8_t *recorded, uint32_t recorded_len, const uint8_t *ours,
                                    uint32_t ours_len);

#endif
