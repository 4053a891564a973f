/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  A capture is read once from front to back through one growing buffer that holds a single
 * record. Both formats are read here and not by libpcap, because libpcap refuses a pcapng file whose interfaces
 * have different link types and tells no offset when a file is cut short; link type names still come from it
 * (docs/decisions/005-replay.md).
 *
 * pcap:    magic 0xa1b2c3d4 (µs), 0xa1b23c4d (ns), 0xa1b2cd34 (µs, 24-byte record headers), either byte order.
 * pcapng:  draft-ietf-opsawg-pcapng: sections of either byte order, any number of interfaces, if_tsresol,
 *          if_tsoffset; enhanced, simple and (obsolete) packet blocks. Other blocks are skipped.
 *
 * INVARIANT: a record is returned whole or not at all; nothing is read past the length that it declares.
 * LIMIT: RECORD_MAX bytes per packet and BLOCK_MAX per block, INTERFACES_MAX per section; beyond, the file is bad. */
#define _DEFAULT_SOURCE /* libpcap uses u_int */
#include "pcap_replay.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcap_link.h"

enum {
    RECORD_MAX = 262144,         /* libpcap's own ceiling */
    BLOCK_MAX = 16 * 1024 * 1024,
    INTERFACES_MAX = 65536,
    NS_DIGITS = 9,
};
#define NS_PER_S 1000000000u
#define PCAPNG_SECTION 0x0a0d0d0au
#define PCAPNG_ORDER 0x1a2b3c4du

struct interface {
    uint32_t link_type;
    uint32_t snaplen;     /* 0 = unlimited */
    uint8_t resolution;   /* if_tsresol */
    int64_t offset_s;     /* if_tsoffset */
};

struct pcap_replay {
    FILE *file;
    uint64_t at;          /* bytes of the file consumed */
    bool is_ng, swap;
    uint64_t number;      /* packets returned */
    uint64_t last_t_ns;   /* for simple packet blocks, which have no time */

    /* pcap */
    uint32_t link_type, snaplen;
    bool is_ns;
    uint32_t record_header; /* 16 or 24 */

    /* pcapng */
    struct interface *interfaces; /* of the section in work */
    uint32_t interface_count, interface_room;

    uint8_t *buffer;      /* one record or block */
    size_t room;
};

struct where { /* for messages */
    char *err;
    size_t size;
};

const char *pcap_replay_link_name(uint32_t link_type)
{
    const int dlt = link_type == 101 ? DLT_RAW : link_type == 0 ? DLT_NULL : (int)link_type;
    const char *name = link_type > 65535 ? NULL : pcap_datalink_val_to_name(dlt);

    return name == NULL ? "?" : name;
}

static uint32_t get32(const struct pcap_replay *r, const uint8_t *p)
{
    const uint32_t little = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];

    return r->swap ? little >> 24 | (little >> 8 & 0xff00u) | (little << 8 & 0xff0000u) | little << 24 : little;
}

static uint32_t get16(const struct pcap_replay *r, const uint8_t *p)
{
    return r->swap ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

/* ------------------------------------------------------------------------------------------------- messages */

static enum pcap_replay_status bad(struct pcap_replay *r, struct where w, const char *what, uint64_t value)
{
    snprintf(w.err, w.size, "packet %" PRIu64 " at byte %" PRIu64 ": %s %" PRIu64, r->number + 1, r->at, what, value);
    return PCAP_REPLAY_BAD;
}

static enum pcap_replay_status cut(struct pcap_replay *r, struct where w, const char *part, size_t got, size_t want)
{
    const char *plural = r->number == 1 ? "packet" : "packets";

    if (ferror(r->file) != 0) {
        snprintf(w.err, w.size, "%s", strerror(errno));
        return PCAP_REPLAY_ENVIRONMENT;
    }
    snprintf(w.err, w.size,
             "cut short at byte %" PRIu64 " inside packet %" PRIu64 " (%zu of %zu %s bytes); replayed the %" PRIu64
             " whole %s",
             r->at + got, r->number + 1, got, want, part, r->number, plural);
    return PCAP_REPLAY_CUT;
}

static enum pcap_replay_status unknown_link(struct where w, uint32_t link_type)
{
    snprintf(w.err, w.size,
             "link type %s (%" PRIu32 ") is not IP.  Supported: EN10MB(1) RAW(101) IPV4(228) IPV6(229) LINUX_SLL(113) "
             "SLL2(276) NULL(0) LOOP(108)",
             pcap_replay_link_name(link_type), link_type);
    return PCAP_REPLAY_LINK;
}

static bool reserve(struct pcap_replay *r, size_t size)
{
    uint8_t *p;

    if (size <= r->room)
        return true;
    p = realloc(r->buffer, size + size / 2);
    if (p == NULL)
        return false;
    r->buffer = p;
    r->room = size + size / 2;
    return true;
}

/* ---------------------------------------------------------------------------------------------------- times */

static uint64_t saturated(uint64_t seconds, uint64_t ns)
{
    return seconds > UINT64_MAX / NS_PER_S - 1 ? UINT64_MAX - 1 : seconds * NS_PER_S + ns;
}

/* pcapng §4.2: if_tsresol n is 10^-n, or 2^-(n - 128) with the top bit set. */
static uint64_t ticks_to_ns(const struct interface *i, uint64_t ticks)
{
    uint64_t seconds, ns, per_s = 1;
    unsigned n = i->resolution & 127u;

    if ((i->resolution & 128u) != 0) {
        const uint64_t part = n == 0 ? 0 : ticks & ((UINT64_C(1) << n) - 1);

        seconds = ticks >> n;
        ns = n <= 32 ? part * NS_PER_S >> n : (part >> (n - 32)) * NS_PER_S >> 32;
    } else {
        for (unsigned k = 0; k < n; k++)
            per_s *= 10;
        seconds = ticks / per_s;
        ns = ticks % per_s;
        for (; n < NS_DIGITS; n++)
            ns *= 10;
        for (; n > NS_DIGITS; n--)
            ns /= 10;
    }
    if (i->offset_s < 0) {
        const uint64_t back = (uint64_t)0 - (uint64_t)i->offset_s;

        return seconds < back ? 0 : saturated(seconds - back, ns);
    }
    return seconds > UINT64_MAX - (uint64_t)i->offset_s ? UINT64_MAX - 1 : saturated(seconds + (uint64_t)i->offset_s, ns);
}

static bool is_resolution_ok(uint8_t resolution)
{
    return (resolution & 128u) != 0 ? (resolution & 127u) < 64 : resolution <= 19; /* fits 64 bits */
}

/* -------------------------------------------------------------------------------------------------- packets */

static enum pcap_replay_status deliver(struct pcap_replay *r, struct pcap_replay_packet *out, const uint8_t *frame,
                                       uint32_t caplen, uint32_t len)
{
    out->link_len = pcap_link_strip(out->link_type, frame, caplen, &out->skip);
    out->number = ++r->number;
    out->link = frame;
    out->ip = frame + out->link_len;
    out->len = caplen - out->link_len;
    out->wire_len = len - out->link_len;
    r->last_t_ns = out->t_ns;
    return PCAP_REPLAY_OK;
}

/* Lengths that no capture program writes, and that would lead the reader astray. */
static enum pcap_replay_status check_lengths(struct pcap_replay *r, struct where w, uint32_t caplen, uint32_t len,
                                             uint32_t snaplen)
{
    if (caplen > RECORD_MAX)
        return bad(r, w, "a captured length of", caplen);
    if (snaplen != 0 && caplen > snaplen)
        return bad(r, w, "captured more bytes than the snapshot length allows:", caplen);
    if (len < caplen)
        return bad(r, w, "captured more bytes than the packet had:", caplen);
    return PCAP_REPLAY_OK;
}

static enum pcap_replay_status next_classic(struct pcap_replay *r, struct pcap_replay_packet *out, struct where w)
{
    uint8_t header[24];
    size_t got = fread(header, 1, r->record_header, r->file);
    uint32_t caplen, len;
    enum pcap_replay_status status;

    if (got == 0 && ferror(r->file) == 0)
        return PCAP_REPLAY_END;
    if (got < r->record_header)
        return cut(r, w, "header", got, r->record_header);
    caplen = get32(r, header + 8);
    len = get32(r, header + 12);
    status = check_lengths(r, w, caplen, len, r->snaplen);
    if (status != PCAP_REPLAY_OK)
        return status;
    r->at += r->record_header;
    if (!reserve(r, caplen + 1u))
        return bad(r, w, "no memory for", caplen);
    got = fread(r->buffer, 1, caplen, r->file);
    if (got < caplen)
        return cut(r, w, "data", got, caplen);
    r->at += caplen;
    out->interface = 0;
    out->link_type = r->link_type;
    out->snaplen = r->snaplen;
    out->t_ns = saturated(get32(r, header), (uint64_t)get32(r, header + 4) * (r->is_ns ? 1 : 1000));
    return deliver(r, out, r->buffer, caplen, len);
}

/* --------------------------------------------------------------------------------------------------- pcapng */

/* Options of an interface block. False when one runs over the end or has a value that cannot be used. */
static bool read_interface_options(const struct pcap_replay *r, struct interface *i, const uint8_t *p, uint32_t len)
{
    enum { OPT_END = 0, OPT_RESOLUTION = 9, OPT_OFFSET = 14 };

    while (len >= 4) {
        const uint32_t code = get16(r, p), size = get16(r, p + 2), padded = (size + 3u) & ~3u;

        if (code == OPT_END)
            return true;
        if (padded > len - 4)
            return false;
        if (code == OPT_RESOLUTION && size == 1)
            i->resolution = p[4];
        if (code == OPT_OFFSET && size == 8) {
            const uint64_t low = get32(r, p + (r->swap ? 8 : 4)), high = get32(r, p + (r->swap ? 4 : 8));

            i->offset_s = (int64_t)(high << 32 | low);
        }
        p += 4 + padded;
        len -= 4 + padded;
    }
    return is_resolution_ok(i->resolution);
}

static enum pcap_replay_status on_interface(struct pcap_replay *r, struct where w, const uint8_t *body, uint32_t len)
{
    struct interface i = {.resolution = 6};

    if (len < 8)
        return bad(r, w, "an interface block of", len);
    i.link_type = get16(r, body);
    i.snaplen = get32(r, body + 4);
    if (!read_interface_options(r, &i, body + 8, len - 8) || !is_resolution_ok(i.resolution))
        return bad(r, w, "wrong options of interface", r->interface_count);
    if (r->interface_count == INTERFACES_MAX)
        return bad(r, w, "more interfaces than", INTERFACES_MAX);
    if (r->interface_count == r->interface_room) {
        const uint32_t room = r->interface_room == 0 ? 8 : 2 * r->interface_room;
        struct interface *p = realloc(r->interfaces, room * sizeof *p);

        if (p == NULL)
            return bad(r, w, "no memory for interface", r->interface_count);
        r->interfaces = p;
        r->interface_room = room;
    }
    r->interfaces[r->interface_count++] = i;
    return PCAP_REPLAY_OK;
}

/* Enhanced (6), obsolete (2) and simple (3) packet blocks: the same fields at other places. */
static enum pcap_replay_status on_packet(struct pcap_replay *r, struct pcap_replay_packet *out, struct where w,
                                         const uint8_t *body, uint32_t len, uint32_t type)
{
    const bool is_simple = type == 3;
    const uint32_t header = is_simple ? 4 : 20;
    uint32_t caplen, wire_len;
    const struct interface *i;
    enum pcap_replay_status status;

    if (len < header)
        return bad(r, w, "a packet block of", len);
    out->interface = is_simple ? 0 : type == 6 ? get32(r, body) : get16(r, body);
    if (out->interface >= r->interface_count)
        return bad(r, w, "a packet of an interface that was not described:", out->interface);
    i = &r->interfaces[out->interface];
    wire_len = get32(r, is_simple ? body : body + 16);
    caplen = is_simple ? wire_len : get32(r, body + 12);
    if (is_simple && i->snaplen != 0 && caplen > i->snaplen)
        caplen = i->snaplen;
    if (is_simple && caplen > len - header)
        caplen = len - header;
    status = check_lengths(r, w, caplen, wire_len, i->snaplen);
    if (status != PCAP_REPLAY_OK)
        return status;
    if (caplen > len - header)
        return bad(r, w, "a captured length beyond its block:", caplen);
    if (!pcap_link_is_known(i->link_type))
        return unknown_link(w, i->link_type);
    out->link_type = i->link_type;
    out->snaplen = i->snaplen;
    out->t_ns = is_simple ? r->last_t_ns
                          : ticks_to_ns(i, (uint64_t)get32(r, body + 4) << 32 | get32(r, body + 8));
    return deliver(r, out, body + header, caplen, wire_len);
}

/* A section header fixes the byte order of what follows; `head` are its first 12 bytes. */
static enum pcap_replay_status on_section(struct pcap_replay *r, struct where w, const uint8_t *head)
{
    r->swap = false;
    if (get32(r, head + 8) != PCAPNG_ORDER) {
        r->swap = true;
        if (get32(r, head + 8) != PCAPNG_ORDER)
            return bad(r, w, "a section of unknown byte order", get32(r, head + 8));
    }
    r->interface_count = 0;
    return PCAP_REPLAY_OK;
}

/* Reads one block into the buffer: type and lengths included. */
static enum pcap_replay_status read_block(struct pcap_replay *r, struct where w, uint32_t *len)
{
    uint8_t head[12];
    size_t got = fread(head, 1, sizeof head, r->file);
    enum pcap_replay_status status;

    if (got == 0 && ferror(r->file) == 0)
        return PCAP_REPLAY_END;
    if (got < sizeof head)
        return cut(r, w, "block header", got, sizeof head);
    if (get32(r, head) == PCAPNG_SECTION) {
        status = on_section(r, w, head);
        if (status != PCAP_REPLAY_OK)
            return status;
    }
    *len = get32(r, head + 4);
    if (*len < 12 || *len % 4 != 0 || *len > BLOCK_MAX)
        return bad(r, w, "a block length of", *len);
    if (!reserve(r, *len))
        return bad(r, w, "no memory for a block of", *len);
    memcpy(r->buffer, head, sizeof head);
    got = fread(r->buffer + sizeof head, 1, *len - sizeof head, r->file);
    if (got < *len - sizeof head)
        return cut(r, w, "block", got + sizeof head, *len);
    if (get32(r, r->buffer + *len - 4) != *len)
        return bad(r, w, "two different lengths of one block, the second being", get32(r, r->buffer + *len - 4));
    return PCAP_REPLAY_OK;
}

static enum pcap_replay_status next_ng(struct pcap_replay *r, struct pcap_replay_packet *out, struct where w)
{
    enum { BLOCK_INTERFACE = 1, BLOCK_PACKET_OLD = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6 };

    for (;;) { /* each pass consumes a block of the file */
        uint32_t len = 0, type;
        enum pcap_replay_status status = read_block(r, w, &len);

        if (status != PCAP_REPLAY_OK)
            return status;
        type = get32(r, r->buffer);
        if (type == BLOCK_PACKET_OLD || type == BLOCK_SIMPLE || type == BLOCK_ENHANCED) {
            status = on_packet(r, out, w, r->buffer + 8, len - 12, type);
            r->at += len;
            return status;
        }
        if (type == BLOCK_INTERFACE)
            status = on_interface(r, w, r->buffer + 8, len - 12);
        if (status != PCAP_REPLAY_OK)
            return status;
        r->at += len;
    }
}

enum pcap_replay_status pcap_replay_next(struct pcap_replay *r, struct pcap_replay_packet *out, char *err,
                                         size_t err_size)
{
    const struct where w = {err, err_size};

    err[0] = '\0';
    return r->is_ng ? next_ng(r, out, w) : next_classic(r, out, w);
}

/* --------------------------------------------------------------------------------------------- open and close */

/* What the file starts with, as text that is safe to print. */
static void not_a_capture(struct where w, const uint8_t *head, size_t got)
{
    char text[16];
    size_t n = 0;

    while (n < got && n + 1 < sizeof text && n < 4) {
        text[n] = head[n] >= 0x20 && head[n] < 0x7f && head[n] != '"' ? (char)head[n] : '.';
        n++;
    }
    text[n] = '\0';
    if (got == 0)
        snprintf(w.err, w.size, "not a pcap or pcapng file (it is empty)");
    else
        snprintf(w.err, w.size, "not a pcap or pcapng file (starts with \"%s\")", text);
}

static bool read_magic(struct pcap_replay *r, const uint8_t *head)
{
    static const struct {
        uint32_t magic;
        bool is_ns;
        uint32_t record_header;
    } table[] = {{0xa1b2c3d4u, false, 16}, {0xa1b23c4du, true, 16}, {0xa1b2cd34u, false, 24}};

    for (int order = 0; order < 2; order++) {
        r->swap = order == 1;
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            if (get32(r, head) == table[i].magic) {
                r->is_ns = table[i].is_ns;
                r->record_header = table[i].record_header;
                return true;
            }
        }
    }
    r->swap = false;
    return false;
}

static enum pcap_replay_status read_file_header(struct pcap_replay *r, struct where w)
{
    uint8_t head[24];
    size_t got = fread(head, 1, 4, r->file);

    if (ferror(r->file) != 0) {
        snprintf(w.err, w.size, "%s", strerror(errno));
        return PCAP_REPLAY_ENVIRONMENT;
    }
    if (got == 4 && get32(r, head) == PCAPNG_SECTION) {
        r->is_ng = true;
        rewind(r->file);
        return PCAP_REPLAY_OK;
    }
    if (got < 4 || !read_magic(r, head)) {
        not_a_capture(w, head, got);
        return PCAP_REPLAY_BAD;
    }
    got += fread(head + 4, 1, sizeof head - 4, r->file);
    if (got < sizeof head) {
        snprintf(w.err, w.size, "cut short at byte %zu inside the file header (%zu of %zu bytes)", got, got, sizeof head);
        return PCAP_REPLAY_CUT;
    }
    r->at = sizeof head;
    r->snaplen = get32(r, head + 16);
    r->link_type = get32(r, head + 20) & 0x03ffffffu; /* the rest: length of a frame check sequence */
    return pcap_link_is_known(r->link_type) ? PCAP_REPLAY_OK : unknown_link(w, r->link_type);
}

enum pcap_replay_status pcap_replay_open(const char *path, struct pcap_replay **out, char *err, size_t err_size)
{
    const struct where w = {err, err_size};
    struct pcap_replay *r = calloc(1, sizeof *r);
    enum pcap_replay_status status = PCAP_REPLAY_ENVIRONMENT;

    *out = NULL;
    err[0] = '\0';
    if (r == NULL) {
        errno = ENOMEM;
        snprintf(err, err_size, "no memory");
        return status;
    }
    r->file = fopen(path, "rb");
    if (r->file == NULL)
        snprintf(err, err_size, "%s", strerror(errno));
    else
        status = read_file_header(r, w);
    if (status == PCAP_REPLAY_OK) {
        *out = r;
    } else {
        const int error = errno;

        pcap_replay_close(r);
        errno = error;
    }
    return status;
}

void pcap_replay_close(struct pcap_replay *r)
{
    if (r == NULL)
        return;
    if (r->file != NULL)
        fclose(r->file);
    free(r->interfaces);
    free(r->buffer);
    free(r);
}
