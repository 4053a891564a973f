/* SPDX-License-Identifier: Apache-2.0 */
/* Small plots: a grid of characters, or SVG. Integers only, so that the output is the same on every machine. */
#ifndef APPS_PLOT_H
#define APPS_PLOT_H

#include <stdio.h>

#include "netstack.h"

struct plot_xy {
    uint64_t x, y;
};

struct plot_series {
    const char *label;          /* letters, digits, blanks and dots only */
    const struct plot_xy *v;    /* by x */
    size_t n;
    char mark;                  /* on a terminal */
    const char *colour;         /* of SVG */
    bool dots;                  /* else a line */
};

enum { PLOT_SERIES_MAX = 16 };
struct plot {
    const char *title;
    const char *unit;           /* of y */
    uint64_t y_scale;           /* y / y_scale is in that unit */
    uint64_t x_end;             /* ns; 0 = the last point */
    struct plot_series series[PLOT_SERIES_MAX];
    size_t n;
};

void plot_tty(FILE *, const struct plot *);
enum { PLOT_WIDTH = 760, PLOT_HEIGHT = 220 };
/* A group at height `top` of a picture PLOT_WIDTH wide; takes PLOT_HEIGHT. */
void plot_svg(FILE *, const struct plot *, unsigned top);

#endif
