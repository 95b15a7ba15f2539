/* Small plots as SVG: axes with round ticks, lines, bands, dots, a legend. Every
 * colour and stroke is an attribute, so that a plot reads wherever it is put; a
 * browser that wants dark gets it from a style sheet. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Series colours s0 ... s7; more series take them again. */
#define SVG_COLOURS 8
#define SVG_TICKS_MAX 24

typedef enum svg_scale {
    SVG_LINEAR,
    SVG_LOG,
    /* Values are fractions right, in [0, 1]; distances are those of the logarithm
     * of what is wrong, so that 99.0 and 99.5 % stand apart beside 50 %. */
    SVG_ACCURACY
} svg_scale;

typedef struct svg_axis {
    svg_scale scale;
    const char *label;
    const char *suffix; /* of the ticks' numbers; NULL: none */
    double least, most; /* ends, in the axis's own measure (svg_axis_fit sets them) */
    double ticks[SVG_TICKS_MAX];
    size_t tick_count;
} svg_axis;

typedef enum svg_mark { SVG_MARK_LINE, SVG_MARK_DASH, SVG_MARK_DOT, SVG_MARK_AREA } svg_mark;

typedef struct svg_legend {
    const char *text;
    unsigned colour;
    svg_mark mark;
} svg_legend;

/* Sizes are in pixels of the SVG's own frame; it scales to its place. */
typedef struct svg_plot {
    base_writer *out;
    double width, height;            /* of the whole; the legend adds its rows below */
    double left, top, right, bottom; /* edges of the frame */
    svg_axis x, y;
    const svg_legend *legend;
    size_t legend_count;
    const char *title; /* for those who do not see it; the heading when alone */
    unsigned clip;     /* number of the clip path, its own in the document */
    bool alone;        /* a file of its own, not part of a page */
} svg_plot;

/* CSS of a page with plots: its colours as variables, light and dark (--ink, --soft,
 * --rule, --paper, --card, and --c within a class s0 ... s7), and the plots' dark. */
void svg_page_style(base_writer *out);

/* Ends and ticks around values from least to most; values that do not fit the
 * scale (zero on a logarithm, infinities) are the caller's to leave out. */
void svg_axis_fit(svg_axis *axis, double least, double most);
/* The same from an array: what is not finite, or not positive on a logarithm, is
 * left out. false when nothing is left; the axis is then [1, 10] or [0, 1]. */
bool svg_axis_fit_values(svg_axis *axis, const double *values, size_t count);
/* An axis of whole numbers, half a step of room at both ends. */
void svg_axis_integers(svg_axis *axis, size_t first, size_t last);

/* Begins the plot, or ends it with its frame, ticks, labels and legend. */
void svg_begin(svg_plot *plot);
void svg_end(svg_plot *plot);

/* Where a value lies; values beyond the ends lie on them. */
double svg_x(const svg_plot *plot, double value);
double svg_y(const svg_plot *plot, double value);

/* Points that are not finite interrupt a line; one between two such is a dot. */
void svg_line(svg_plot *plot, const double *x, const double *y, size_t count, unsigned colour,
              bool dashed);
/* The area between low and high. */
void svg_band(svg_plot *plot, const double *x, const double *low, const double *high, size_t count,
              unsigned colour);
/* A full-height stripe behind x from..to. */
void svg_stripe(svg_plot *plot, double from, double to, unsigned colour);
/* A short text over x from..to, left out where it does not fit. */
void svg_head(svg_plot *plot, double from, double to, const char *text);
/* A dot with what it says when pointed at. */
void svg_dot(svg_plot *plot, double x, double y, unsigned colour, const char *tip);
/* The ends and quartiles figures[5], rising, of some values: a box with its median, and
 * whiskers, over x - half..x + half. */
void svg_box(svg_plot *plot, double x, double half, const double *figures, unsigned colour,
             const char *tip);

/* A value as people write it: 0.001, 25, 3.2e+07. */
void svg_number(char *out, size_t size, double value);

#endif
