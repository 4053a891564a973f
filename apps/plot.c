/* SPDX-License-Identifier: Apache-2.0 */
#include "plot.h"

#include <inttypes.h>
#include <string.h>

enum { COLUMNS = 68, ROWS = 12, LEFT = 64, RIGHT = 12, TOP = 24, BOTTOM = 26, TICKS = 4 };

struct range {
    uint64_t x, y; /* largest */
};

/* The next of 1, 2, 5 times a power of ten: a bound that reads well. */
static uint64_t round_up(uint64_t v)
{
    static const uint64_t steps[] = {1, 2, 5, 10};

    for (uint64_t p = 1;; p *= 10) {
        for (size_t i = 0; i < 4; i++) {
            if (steps[i] * p >= v)
                return steps[i] * p;
        }
    }
}

static struct range range_of(const struct plot *p)
{
    struct range r = {p->x_end, 0};

    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->series[i].n; k++) {
            const struct plot_xy *v = &p->series[i].v[k];

            r.x = p->x_end == 0 && v->x > r.x ? v->x : r.x;
            r.y = v->y > r.y ? v->y : r.y;
        }
    }
    r.x = r.x > 0 ? r.x : 1;
    r.y = round_up((r.y + p->y_scale - 1) / p->y_scale) * p->y_scale;
    return r;
}

static uint64_t share(uint64_t v, uint64_t most, uint64_t of)
{
    while (most > UINT64_MAX / 4096) {
        most >>= 1;
        v >>= 1;
    }
    return v >= most ? of : v * of / most;
}

void plot_tty(FILE *out, const struct plot *p)
{
    const struct range r = range_of(p);
    char grid[ROWS][COLUMNS + 1];

    for (size_t i = 0; i < ROWS; i++) {
        memset(grid[i], ' ', COLUMNS);
        grid[i][COLUMNS] = '\0';
    }
    for (size_t i = p->n; i-- > 0;) { /* the first series is on top */
        for (size_t k = 0; k < p->series[i].n; k++) {
            const struct plot_xy *v = &p->series[i].v[k];

            if (v->x <= r.x)
                grid[ROWS - 1 - share(v->y, r.y, ROWS - 1)][share(v->x, r.x, COLUMNS - 1)] = p->series[i].mark;
        }
    }
    fprintf(out, "\n%s [%s]", p->title, p->unit);
    for (size_t i = 0; i < p->n; i++)
        fprintf(out, "   %c %s", p->series[i].mark, p->series[i].label);
    fputc('\n', out);
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = COLUMNS;

        while (len > 0 && grid[i][len - 1] == ' ')
            len--;
        grid[i][len] = '\0';
        if (i == 0 || i == ROWS - 1)
            fprintf(out, "%8" PRIu64 " |%s\n", i == 0 ? r.y / p->y_scale : 0, grid[i]);
        else
            fprintf(out, "         |%s\n", grid[i]);
    }
    fprintf(out, "         +%.*s\n", COLUMNS, "--------------------------------------------------------------------");
    fprintf(out, "          0%*s%" PRIu64 ".%03" PRIu64 " s\n", COLUMNS - 10, "", r.x / 1000000000u, r.x / 1000000u % 1000u);
}

/* -------------------------------------------------------------------------------------------------- SVG */

static unsigned x_at(const struct range *r, uint64_t x)
{
    return LEFT + (unsigned)share(x, r->x, (PLOT_WIDTH - LEFT - RIGHT) * 1u);
}

static unsigned y_at(const struct range *r, uint64_t y, unsigned top)
{
    return top + PLOT_HEIGHT - BOTTOM - (unsigned)share(y, r->y, PLOT_HEIGHT - TOP - BOTTOM);
}

static void svg_axes(FILE *out, const struct plot *p, const struct range *r, unsigned top)
{
    const unsigned bottom = top + PLOT_HEIGHT - BOTTOM;

    fprintf(out, "<text x=\"%d\" y=\"%u\" font-weight=\"bold\">%s [%s]</text>\n", LEFT, top + 14, p->title, p->unit);
    for (unsigned i = 0; i <= TICKS; i++) {
        const unsigned x = x_at(r, r->x / TICKS * i), y = y_at(r, r->y / TICKS * i, top);
        const uint64_t milli = r->y / TICKS * i * 10 / p->y_scale;

        fprintf(out, "<path d=\"M%d %uH%d\" stroke=\"#ddd\"/>\n", LEFT, y, PLOT_WIDTH - RIGHT);
        fprintf(out, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%" PRIu64, LEFT - 6, y + 4, milli / 10);
        fprintf(out, milli % 10 != 0 ? ".%" PRIu64 "</text>\n" : "</text>\n", milli % 10);
        fprintf(out, "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">%" PRIu64 ".%02" PRIu64 " s</text>\n", x, bottom + 16,
                r->x / TICKS * i / 1000000000u, r->x / TICKS * i / 10000000u % 100u);
    }
    fprintf(out, "<path d=\"M%d %uV%uH%d\" stroke=\"#444\" fill=\"none\"/>\n", LEFT, top + TOP, bottom, PLOT_WIDTH - RIGHT);
}

static void svg_series(FILE *out, const struct plot_series *s, const struct range *r, unsigned top)
{
    unsigned last_x = UINT32_MAX, last_y = UINT32_MAX;
    bool is_first = true;

    if (s->n == 0)
        return;
    fprintf(out, "<path stroke=\"%s\" fill=\"none\" stroke-width=\"%s\" stroke-linecap=\"round\" d=\"", s->colour, s->dots ? "3" : "1.2");
    for (size_t i = 0; i < s->n; i++) {
        const unsigned x = x_at(r, s->v[i].x), y = y_at(r, s->v[i].y, top);

        if (s->v[i].x > r->x || (x == last_x && y == last_y)) /* nothing new to see */
            continue;
        fprintf(out, s->dots ? "M%u %uh0" : is_first ? "M%u %u" : "L%u %u", x, y);
        last_x = x;
        last_y = y;
        is_first = false;
    }
    fputs("\"/>\n", out);
}

void plot_svg(FILE *out, const struct plot *p, unsigned top)
{
    const struct range r = range_of(p);
    unsigned x = PLOT_WIDTH - RIGHT;

    svg_axes(out, p, &r, top);
    for (size_t i = p->n; i-- > 0;) {
        svg_series(out, &p->series[i], &r, top);
        fprintf(out, "<text x=\"%u\" y=\"%u\" text-anchor=\"end\" fill=\"%s\">%s</text>\n", x, top + 14, p->series[i].colour,
                p->series[i].label);
        x -= 24 + (unsigned)strlen(p->series[i].label) * 7;
    }
}
