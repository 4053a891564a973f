/*
 * repack - write a classic capture of this machine again in another container
 *
 *     repack pcapng IN OUT        pcapng: section header, one interface (if_tsresol), enhanced packet blocks
 *     repack big-endian IN OUT    classic pcap in the other byte order
 *
 * Packets, times and link type stay as they are. IN must be in host byte order, as tcpdump writes it.
 * LIMIT: packets of at most PACKET_MAX bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_MAX = 262144 };

struct file_header {
    uint32_t magic;
    uint16_t major;
    uint16_t minor;
    uint32_t zone;
    uint32_t accuracy;
    uint32_t snaplen;
    uint32_t linktype;
};

struct packet_header {
    uint32_t seconds;
    uint32_t fraction;  /* micro- or nanoseconds, as the magic says */
    uint32_t captured;
    uint32_t length;
};

static const uint32_t MAGIC_MICRO = 0xa1b2c3d4;
static const uint32_t MAGIC_NANO = 0xa1b23c4d;

static void fail(const char *what)
{
    fprintf(stderr, "repack: %s\n", what);
    exit(1);
}

static void put(FILE *f, const void *data, size_t n)
{
    if (n > 0 && fwrite(data, n, 1, f) != 1) {
        fail("write error");
    }
}

static void put32(FILE *f, uint32_t value)
{
    put(f, &value, sizeof value);
}

static void put_be(FILE *f, uint32_t value, int bytes)
{
    while (bytes-- > 0) {
        fputc((int)(value >> (8 * bytes) & 255), f);
    }
}

static void pcapng_start(FILE *out, const struct file_header *h)
{
    static const uint16_t version[2] = {1, 0};
    static const uint64_t length_unknown = UINT64_MAX;
    const uint16_t link[2] = {(uint16_t)h->linktype, 0};
    static const uint16_t tsresol[2] = {9, 1};
    const uint8_t resolution[4] = {h->magic == MAGIC_NANO ? 9 : 6, 0, 0, 0};

    put32(out, 0x0a0d0d0a);
    put32(out, 28);
    put32(out, 0x1a2b3c4d);
    put(out, version, sizeof version);
    put(out, &length_unknown, sizeof length_unknown);
    put32(out, 28);

    put32(out, 1);
    put32(out, 32);
    put(out, link, sizeof link);
    put32(out, h->snaplen);
    put(out, tsresol, sizeof tsresol);
    put(out, resolution, sizeof resolution);
    put32(out, 0);
    put32(out, 32);
}

static void pcapng_packet(FILE *out, const struct file_header *h, const struct packet_header *p,
                          const uint8_t *data)
{
    static const uint8_t zeros[4] = {0};
    uint32_t pad = (4 - p->captured % 4) % 4;
    uint32_t total = 32 + p->captured + pad;
    uint64_t units = h->magic == MAGIC_NANO ? 1000000000u : 1000000u;
    uint64_t time = p->seconds * units + p->fraction;

    put32(out, 6);
    put32(out, total);
    put32(out, 0);
    put32(out, (uint32_t)(time >> 32));
    put32(out, (uint32_t)time);
    put32(out, p->captured);
    put32(out, p->length);
    put(out, data, p->captured);
    put(out, zeros, pad);
    put32(out, total);
}

static void big_endian_start(FILE *out, const struct file_header *h)
{
    put_be(out, h->magic, 4);
    put_be(out, h->major, 2);
    put_be(out, h->minor, 2);
    put_be(out, h->zone, 4);
    put_be(out, h->accuracy, 4);
    put_be(out, h->snaplen, 4);
    put_be(out, h->linktype, 4);
}

static void big_endian_packet(FILE *out, const struct file_header *h, const struct packet_header *p,
                              const uint8_t *data)
{
    (void)h;
    put_be(out, p->seconds, 4);
    put_be(out, p->fraction, 4);
    put_be(out, p->captured, 4);
    put_be(out, p->length, 4);
    put(out, data, p->captured);
}

int main(int argc, char **argv)
{
    static uint8_t data[PACKET_MAX];
    struct file_header h;
    struct packet_header p;
    int ng;
    FILE *in;
    FILE *out;

    if (argc != 4 || (strcmp(argv[1], "pcapng") != 0 && strcmp(argv[1], "big-endian") != 0)) {
        fprintf(stderr, "usage: repack pcapng|big-endian IN OUT\n");
        return 2;
    }
    ng = strcmp(argv[1], "pcapng") == 0;
    in = fopen(argv[2], "rb");
    out = fopen(argv[3], "wb");
    if (in == NULL || out == NULL) {
        fail("cannot open the files");
    }
    if (fread(&h, sizeof h, 1, in) != 1 || (h.magic != MAGIC_MICRO && h.magic != MAGIC_NANO)) {
        fail("not a classic capture in host byte order");
    }
    (ng ? pcapng_start : big_endian_start)(out, &h);
    while (fread(&p, sizeof p, 1, in) == 1) {
        if (p.captured > sizeof data || (p.captured > 0 && fread(data, p.captured, 1, in) != 1)) {
            fail("packet cut short");
        }
        (ng ? pcapng_packet : big_endian_packet)(out, &h, &p, data);
    }
    fclose(in);
    if (fclose(out) != 0) {
        fail("write error");
    }
    return 0;
}
