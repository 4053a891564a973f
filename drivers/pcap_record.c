/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  libpcap reads pcapng but cannot write it, so both formats are written here: three
 * block types of draft-ietf-opsawg-pcapng (section header, interface description, enhanced packet) and the
 * classic header with the nanosecond magic.  All numbers are little endian on every machine, so that equal
 * runs give equal files.
 *
 * Frames gather in one buffer, handed to the kernel when it is full or at pcap_record_flush: a caller that
 * flushes once per batch feeds a live reader at one write per batch.
 * INVARIANT: the buffer ends at a block boundary between calls; a frame is recorded whole or not at all.
 * LIMIT: frames of up to SNAPLEN bytes are kept whole, longer ones are cut there.
 * LIMIT: the write blocks; a reader of "-" that stalls stalls the writer.
 */
#define _DEFAULT_SOURCE
#include "pcap_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINKTYPE_RAW = 101,
    SNAPLEN = 262144,
    COMMENT_MAX = 4096,          /* longer comments are cut */
    BLOCK_MAX = SNAPLEN + COMMENT_MAX + 256,
    BUFFER_SIZE = 2 * BLOCK_MAX,
};

enum { /* pcapng block types and options */
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_PACKET_FLAGS = 2,
    OPT_USER_APPLICATION = 4,
    OPT_TIME_RESOLUTION = 9,
};

struct pcap_record {
    int fd;
    bool close_fd;   /* not for standard output */
    bool classic;
    int error;       /* the first errno, 0 = none */
    size_t len;      /* bytes in buffer */
    uint8_t buffer[BUFFER_SIZE];
};

static void put_bytes(struct pcap_record *r, const void *data, size_t len)
{
    if (len != 0) {
        memcpy(r->buffer + r->len, data, len);
        r->len += len;
    }
}

static void put16(struct pcap_record *r, uint32_t v)
{
    const uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

    put_bytes(r, b, sizeof b);
}

static void put32(struct pcap_record *r, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

    put_bytes(r, b, sizeof b);
}

/* Zeros up to a multiple of four after `len` bytes. */
static void put_padding(struct pcap_record *r, size_t len)
{
    static const uint8_t zero[4];

    put_bytes(r, zero, -len & 3u);
}

static void put_option(struct pcap_record *r, uint32_t code, const void *value, size_t len)
{
    put16(r, code);
    put16(r, (uint32_t)len);
    put_bytes(r, value, len);
    put_padding(r, len);
}

static void put_text_option(struct pcap_record *r, uint32_t code, const char *text)
{
    size_t len = strlen(text);

    if (len > COMMENT_MAX) {
        len = COMMENT_MAX;
        while (len > 0 && ((uint8_t)text[len] & 0xc0u) == 0x80u)
            len--; /* not inside a UTF-8 character */
    }
    put_option(r, code, text, len);
}

/* A block is begun with its type and a hole for its length, which stands at both of its ends. */
static size_t begin_block(struct pcap_record *r, uint32_t type)
{
    const size_t start = r->len;

    put32(r, type);
    put32(r, 0);
    return start;
}

static void end_block(struct pcap_record *r, size_t start)
{
    const uint32_t total = (uint32_t)(r->len - start + 4);
    const size_t end = r->len;

    put32(r, total);
    memcpy(r->buffer + start + 4, r->buffer + end, 4);
}

static void put_pcapng_header(struct pcap_record *r, const char *section_comment)
{
    static const uint8_t resolution[1] = {9}; /* 10^-9 s */
    size_t block = begin_block(r, BLOCK_SECTION);

    put32(r, 0x1a2b3c4d);
    put16(r, 1); /* version 1.0 */
    put16(r, 0);
    put32(r, UINT32_MAX); /* length of the section: not known yet */
    put32(r, UINT32_MAX);
    put_text_option(r, OPT_USER_APPLICATION, "netstack " NST_VERSION);
    if (section_comment != NULL)
        put_text_option(r, OPT_COMMENT, section_comment);
    put_option(r, OPT_END, NULL, 0);
    end_block(r, block);

    block = begin_block(r, BLOCK_INTERFACE);
    put16(r, LINKTYPE_RAW);
    put16(r, 0);
    put32(r, SNAPLEN);
    put_option(r, OPT_TIME_RESOLUTION, resolution, sizeof resolution);
    put_option(r, OPT_END, NULL, 0);
    end_block(r, block);
}

static void put_classic_header(struct pcap_record *r)
{
    put32(r, 0xa1b23c4d); /* nanoseconds */
    put16(r, 2);          /* version 2.4 */
    put16(r, 4);
    put32(r, 0);
    put32(r, 0);
    put32(r, SNAPLEN);
    put32(r, LINKTYPE_RAW);
}

static bool has_suffix(const char *path, const char *suffix)
{
    const size_t len = strlen(path), n = strlen(suffix);

    return len >= n && strcmp(path + len - n, suffix) == 0;
}

struct pcap_record *pcap_record_open(const char *path, const char *section_comment, char *err,
                                     size_t err_size)
{
    const bool to_stdout = strcmp(path, "-") == 0;
    struct pcap_record *r = malloc(sizeof *r);
    int error;

    if (r == NULL) {
        snprintf(err, err_size, "%s", strerror(ENOMEM));
        return NULL;
    }
    r->fd = to_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (r->fd < 0) {
        snprintf(err, err_size, "%s", strerror(errno));
        free(r);
        return NULL;
    }
    r->close_fd = !to_stdout;
    r->classic = has_suffix(path, ".pcap");
    r->error = 0;
    r->len = 0;
    if (r->classic)
        put_classic_header(r);
    else
        put_pcapng_header(r, section_comment);
    error = pcap_record_flush(r);
    if (error < 0) { /* a full disk shows here already */
        snprintf(err, err_size, "%s", strerror(-error));
        pcap_record_close(r);
        return NULL;
    }
    return r;
}

int pcap_record_flush(struct pcap_record *r)
{
    size_t done = 0;

    while (r->error == 0 && done < r->len) {
        const ssize_t n = write(r->fd, r->buffer + done, r->len - done);

        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno != EINTR)
            r->error = errno;
    }
    r->len = 0;
    return -r->error;
}

/* The bytes of the slices, `keep` at most. */
static void put_slices(struct pcap_record *r, const nst_iov *iov, size_t n, size_t keep)
{
    for (size_t i = 0; i < n && keep > 0; i++) {
        const size_t len = iov[i].len < keep ? iov[i].len : keep;

        put_bytes(r, iov[i].base, len);
        keep -= len;
    }
}

int pcap_record_frame(struct pcap_record *r, uint64_t t_ns, bool outbound, const nst_iov *iov, size_t n,
                      const char *comment)
{
    const uint8_t flags[4] = {outbound ? 2 : 1, 0, 0, 0};
    size_t wire = 0, keep, block;

    if (r->error != 0)
        return -r->error;
    for (size_t i = 0; i < n; i++)
        wire += iov[i].len;
    keep = wire < SNAPLEN ? wire : SNAPLEN;
    if (r->len + BLOCK_MAX > BUFFER_SIZE && pcap_record_flush(r) < 0)
        return -r->error;

    if (r->classic) {
        put32(r, (uint32_t)(t_ns / 1000000000u));
        put32(r, (uint32_t)(t_ns % 1000000000u));
        put32(r, (uint32_t)keep);
        put32(r, (uint32_t)wire);
        put_slices(r, iov, n, keep);
        return 0;
    }
    block = begin_block(r, BLOCK_PACKET);
    put32(r, 0); /* interface */
    put32(r, (uint32_t)(t_ns >> 32));
    put32(r, (uint32_t)t_ns);
    put32(r, (uint32_t)keep);
    put32(r, (uint32_t)wire);
    put_slices(r, iov, n, keep);
    put_padding(r, keep);
    put_option(r, OPT_PACKET_FLAGS, flags, sizeof flags);
    if (comment != NULL && comment[0] != '\0')
        put_text_option(r, OPT_COMMENT, comment);
    put_option(r, OPT_END, NULL, 0);
    end_block(r, block);
    return 0;
}

int pcap_record_close(struct pcap_record *r)
{
    int error;

    if (r == NULL)
        return 0;
    error = pcap_record_flush(r);
    if (r->close_fd && close(r->fd) != 0 && error == 0)
        error = -errno;
    free(r);
    return error;
}
